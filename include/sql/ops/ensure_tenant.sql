-- Purpose: the tenant's row and its partitions. Grain: one tenant. Idempotency: yes. Locks: an advisory lock.
SELECT ops.ensure_tenant(:tenant);
