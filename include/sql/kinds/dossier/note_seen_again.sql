-- Made by `make sql` from note_seen_again.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: records noted as vanished that a later reading, of whatever mode, found after all.
-- Grain: one record. Idempotency: the caller clears the load's sightings first. Locks: inserts only.
INSERT INTO ops.sighting (tenant, load_id, source_key, seen)
SELECT
    :tenant,
    :load_id,
    v.source_key,
    true
FROM dossier.vanished AS v
LEFT JOIN ops.load AS missed ON missed.load_id = v.last_load_id
WHERE
    v.tenant = :tenant
    AND v.source_id = :source_id
    AND coalesce(missed.reading_no, 0) <= coalesce(CAST(:reading_no AS bigint), 0)
    AND (
        EXISTS (SELECT 1 FROM pg_temp.landed AS l WHERE l.source_key = v.source_key)
        OR EXISTS (
            SELECT 1
            FROM staging.dossier AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = v.source_key
        )
    );
