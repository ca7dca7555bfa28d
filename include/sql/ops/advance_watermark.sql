-- Purpose: move a table's watermark together with the data it describes; never backwards, whatever order loads merge in,
--          unless a wrong clock had put it into the future.
-- Grain: one table of one source. Idempotency: yes. Locks: the watermark's row.
INSERT INTO ops.watermark (tenant, source_id, table_name, modified_at, last_key, overlap_rows, load_id)
VALUES (:tenant, :source_id, :table_name, :modified_at, :last_key, :overlap_rows, :load_id)
ON CONFLICT (tenant, source_id, table_name) DO UPDATE SET
    modified_at = excluded.modified_at,
    last_key = greatest(ops.watermark.last_key, excluded.last_key),
    overlap_rows = excluded.overlap_rows,
    load_id = excluded.load_id
WHERE
    ops.watermark.modified_at IS NULL
    OR excluded.modified_at >= ops.watermark.modified_at
    OR ops.watermark.modified_at > CAST(:now AS timestamptz);
