-- Purpose: scores of a run. Grain: unit of one tenant × component.
-- Idempotency: the run is written once. Locks: the new rows.
INSERT INTO indices.component_score (
    tenant,
    run_id,
    agency_code,
    component_id,
    numerator,
    denominator,
    ratio,
    score,
    flags
)
SELECT
    :tenant,
    :run_id,
    given.agency_code,
    given.component_id,
    given.numerator,
    given.denominator,
    given.ratio,
    given.score,
    coalesce(string_to_array(given.flags, ' '), '{}')
FROM unnest(
    CAST(:agency_codes AS text[]),
    CAST(:component_ids AS text[]),
    CAST(:numerators AS numeric[]),
    CAST(:denominators AS numeric[]),
    CAST(:ratios AS numeric[]),
    CAST(:scores AS numeric[]),
    CAST(:flags AS text[])
) AS given (agency_code, component_id, numerator, denominator, ratio, score, flags)
