-- Purpose: what a run says of one tenant's units, for reports. Grain: that of indices.score_unit.
-- Idempotency: reads. Locks: none.
SELECT
    agency_code,
    name,
    kind,
    idle
FROM indices.score_unit
WHERE tenant = :tenant
    AND run_id = :run_id
ORDER BY agency_code
