-- Purpose: the spine of a run. Grain: unit of one tenant. Idempotency: the run is written once. Locks: the new rows.
INSERT INTO indices.score_unit (
    tenant,
    run_id,
    agency_code,
    name,
    kind
)
SELECT
    :tenant,
    :run_id,
    unit.agency_code,
    unit.name,
    unit.kind
FROM unnest(
    CAST(:agency_codes AS text[]),
    CAST(:names AS text[]),
    CAST(:kinds AS text[])
) AS unit (agency_code, name, kind)
