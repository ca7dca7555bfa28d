-- Purpose: up to which merge the facts of a tenant reach, and by which recipe. Grain: one tenant. Idempotency: reads.
-- Locks: none.
SELECT
    merge_no,
    recipe
FROM indices.fact_state
WHERE tenant = :tenant
