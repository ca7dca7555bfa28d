-- Purpose: a load is believed; its number orders it among the tenant's merges. Grain: one load.
-- Idempotency: under the load's and the tenant's locks. Locks: both rows.
WITH numbered AS (
    UPDATE ops.tenant SET merges = merges + 1
    WHERE tenant = :tenant
    RETURNING merges
)
UPDATE ops.load
SET state = 'merged', merged_at = :now, merge_no = numbered.merges, error = NULL, failed_at = NULL
FROM numbered
WHERE load_id = :load_id AND state = 'gated';
