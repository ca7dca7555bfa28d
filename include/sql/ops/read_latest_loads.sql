-- Purpose: the newest load of every source, for people. Grain: one row per source. Idempotency: reads only. Locks: none.
SELECT DISTINCT ON (l.tenant, l.source_id)
    l.tenant,
    l.source_id,
    l.load_id,
    l.mode,
    l.state,
    l.opened_at,
    l.merged_at,
    l.error
FROM ops.load AS l
ORDER BY l.tenant, l.source_id, l.load_id DESC;
