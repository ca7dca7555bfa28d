-- Purpose: what a run says of one tenant's units, for reports. Grain: that of indices.unit_score.
-- Idempotency: reads. Locks: none.
SELECT
    agency_code,
    group_code,
    score,
    max_available,
    percent,
    rank,
    band
FROM indices.unit_score
WHERE tenant = :tenant
    AND run_id = :run_id
ORDER BY agency_code, group_code
