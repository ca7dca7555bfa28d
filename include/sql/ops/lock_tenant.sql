-- Purpose: one merge at a time per tenant. Grain: one row. Idempotency: reads only. Locks: the tenant's row.
SELECT merges FROM ops.tenant WHERE tenant = :tenant FOR UPDATE;
