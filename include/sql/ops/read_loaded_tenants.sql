-- Purpose: the tenants of which something is believed, whatever their contracts say at this moment.
-- Grain: one row per tenant. Idempotency: reads only. Locks: none.
SELECT t.tenant
FROM ops.tenant AS t
WHERE t.merges > 0
ORDER BY t.tenant;
