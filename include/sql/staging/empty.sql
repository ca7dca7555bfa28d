-- Purpose: empty a tenant's staging at once when this load is the last that has rows there. Grain: one tenant.
-- Idempotency: yes. Locks: ACCESS EXCLUSIVE on the tenant's staging partitions until the transaction ends, never waited
--          for.
SELECT ops.empty_staging(:tenant, :load_id) AS emptied;
