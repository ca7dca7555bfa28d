-- Purpose: what a run says of one tenant's units, for reports. Grain: that of indices.component_score.
-- Idempotency: reads. Locks: none.
SELECT
    agency_code,
    component_id,
    numerator,
    denominator,
    ratio,
    score,
    flags
FROM indices.component_score
WHERE tenant = :tenant
    AND run_id = :run_id
ORDER BY agency_code, component_id
