-- Purpose: remember the code maps that a load was read with, and notice when they are no longer those of the rows that
-- earlier loads brought. A load that read everything settles it.
-- Grain: one source. Idempotency: yes. Locks: the source's row.
INSERT INTO ops.source_codes AS s (tenant, source_id, codes_hash, settled_load_id)
VALUES (:tenant, :source_id, :codes_hash, :load_id)
ON CONFLICT (tenant, source_id) DO UPDATE SET
    codes_hash = CASE WHEN CAST(:whole AS boolean) THEN excluded.codes_hash ELSE s.codes_hash END,
    settled_load_id = CASE WHEN CAST(:whole AS boolean) THEN excluded.settled_load_id ELSE s.settled_load_id END,
    changed_load_id = CASE
        WHEN CAST(:whole AS boolean) THEN NULL
        WHEN s.codes_hash <> excluded.codes_hash THEN coalesce(s.changed_load_id, excluded.settled_load_id)
        ELSE s.changed_load_id
    END
RETURNING s.changed_load_id, s.settled_load_id;
