-- Purpose: one merge at a time per tenant. Grain: one row. Idempotency: reads only. Locks: the tenant's row.
SELECT ops.lock_tenant(:tenant) AS merges;
