-- Purpose: points of groups and totals of a run. Grain: unit of one tenant × group, and TOTAL.
-- Idempotency: the run is written once. Locks: the new rows.
INSERT INTO indices.unit_score (
    tenant,
    run_id,
    agency_code,
    group_code,
    score,
    max_available,
    percent,
    rank,
    band
)
SELECT
    :tenant,
    :run_id,
    given.agency_code,
    given.group_code,
    given.score,
    given.max_available,
    given.percent,
    given.rank,
    given.band
FROM unnest(
    CAST(:agency_codes AS text[]),
    CAST(:group_codes AS text[]),
    CAST(:scores AS numeric[]),
    CAST(:maxima AS numeric[]),
    CAST(:percents AS numeric[]),
    CAST(:ranks AS integer[]),
    CAST(:bands AS text[])
) AS given (agency_code, group_code, score, max_available, percent, rank, band)
