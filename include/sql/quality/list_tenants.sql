-- Purpose: the tenants a report goes through, one at a time. Grain: one tenant. Idempotency: reads only. Locks: none.
SELECT tenant
FROM ops.tenant
ORDER BY tenant
