-- Purpose: move a table's watermark together with the data it describes; never backwards, whatever order loads merge in,
--          unless a wrong clock had put it into the future.
-- Grain: one table of one source. Idempotency: yes. Locks: the watermark's row.
INSERT INTO ops.watermark (tenant, source_id, table_name, modified_at, last_key, overlap_rows, load_id)
VALUES (:tenant, :source_id, :table_name, :modified_at, :last_key, :overlap_rows, :load_id)
ON CONFLICT (tenant, source_id, table_name) DO UPDATE SET
    modified_at = excluded.modified_at,
    -- Keys are text; those that are numbers are compared as such.
    last_key = CASE
        WHEN
            CAST(ops.watermark.last_key AS text) ~ '^-?[0-9]+$'
            AND CAST(excluded.last_key AS text) ~ '^-?[0-9]+$'
            AND CAST(CAST(ops.watermark.last_key AS text) AS numeric)
            > CAST(CAST(excluded.last_key AS text) AS numeric)
            THEN ops.watermark.last_key
        ELSE coalesce(excluded.last_key, ops.watermark.last_key)
    END,
    overlap_rows = excluded.overlap_rows,
    load_id = excluded.load_id
WHERE
    ops.watermark.modified_at IS NULL
    OR excluded.modified_at >= ops.watermark.modified_at
    OR ops.watermark.modified_at > CAST(:now AS timestamptz);
