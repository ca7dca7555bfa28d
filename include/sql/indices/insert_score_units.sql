-- Purpose: the spine of a run. Grain: unit of one tenant. Idempotency: the run is written once. Locks: the new rows.
INSERT INTO indices.score_unit (
    tenant,
    run_id,
    agency_code,
    name,
    kind,
    idle
)
SELECT
    :tenant,
    :run_id,
    unit.agency_code,
    unit.name,
    unit.kind,
    unit.idle
FROM unnest(
    CAST(:agency_codes AS text[]),
    CAST(:names AS text[]),
    CAST(:kinds AS text[]),
    CAST(:idle AS boolean[])
) AS unit (agency_code, name, kind, idle)
