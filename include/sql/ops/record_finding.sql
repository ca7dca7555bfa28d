-- Purpose: remember a column or code word of a source that nobody mapped. Grain: one per source, kind and name.
-- Idempotency: a repeated finding moves last_load_id only. Locks: the finding's row.
INSERT INTO ops.finding (tenant, source_id, kind, name, seen, first_load_id, last_load_id)
VALUES (:tenant, :source_id, :kind, :name, :seen, :load_id, :load_id)
ON CONFLICT (tenant, source_id, kind, name) DO UPDATE SET
    seen = excluded.seen,
    last_load_id = excluded.last_load_id;
