-- Purpose: the newest load of a source. Grain: one row, none before the first load. Idempotency: reads only. Locks: none.
SELECT
    load.load_id,
    load.run_key,
    load.mode,
    load.state,
    load.opened_at,
    load.merged_at,
    load.failed_at,
    load.error
FROM ops.load AS load
WHERE load.tenant = :tenant AND load.source_id = :source_id
ORDER BY load.load_id DESC
LIMIT 1;
