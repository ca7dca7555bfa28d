-- Purpose: up to which instant (the source's clock) what changed at a source has been merged. Range loads don't count.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    load.observed_at,
    load.opened_at,
    load.merged_at
FROM ops.load AS load
WHERE
    load.tenant = :tenant
    AND load.source_id = :source_id
    AND load.state = 'merged'
    AND load.mode <> 'range'
ORDER BY load.load_id DESC
LIMIT 1;
