-- Purpose: statistics of what is believed, right after a load that changed much of it. Grain: one kind of a tenant.
-- Idempotency: yes. Locks: SHARE UPDATE EXCLUSIVE on the tenant's partitions until the transaction ends.
SELECT ops.analyze_believed(:tenant, :kind);
