-- Purpose: how far each table of a source has been read. Grain: one row per table. Idempotency: reads only. Locks: none.
SELECT
    w.table_name,
    w.modified_at,
    w.last_key,
    w.overlap_rows
FROM ops.watermark AS w
WHERE w.tenant = :tenant AND w.source_id = :source_id
ORDER BY w.table_name;
