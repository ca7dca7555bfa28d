-- Purpose: what became of the rows of one entity of a load. Grain: one row, none before it was merged.
-- Idempotency: reads only. Locks: none.
SELECT
    load_count.extracted,
    load_count.inserted + load_count.updated AS changed
FROM ops.load_count AS load_count
WHERE load_count.tenant = :tenant AND load_count.load_id = :load_id AND load_count.entity = :entity;
