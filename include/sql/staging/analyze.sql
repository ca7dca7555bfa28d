-- Purpose: statistics of what was just staged, so that the planner knows its size. Grain: one tenant.
-- Idempotency: yes. Locks: SHARE UPDATE EXCLUSIVE on the tenant's staging partitions until the transaction ends.
SELECT ops.analyze_staging(:tenant);
