-- Purpose: statistics of staging tables that were just written, so that the planner knows its size. Grain: one tenant.
-- Idempotency: yes. Locks: SHARE UPDATE EXCLUSIVE on the tenant's staging partitions until the transaction ends.
SELECT ops.analyze_staging(:tenant, CAST(:tables AS text []));
