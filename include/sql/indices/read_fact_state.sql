-- Purpose: up to which merge the facts of a tenant reach. Grain: one tenant. Idempotency: reads. Locks: none.
SELECT merge_no
FROM indices.fact_state
WHERE tenant = :tenant
