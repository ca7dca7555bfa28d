-- Made by `make sql` from note_unseen.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: believed records that a load which read everything did not find. What was set aside by its landed rows was
--          found: it is in `landed`, the rest in staging; `listed` are seen there although they could not be loaded.
--          What a later reading brought this one can't know.
-- Grain: one record. Cost: one walk over the source's keys. Idempotency: the caller clears the load's sightings first.
-- Locks: inserts only.
INSERT INTO ops.sighting (tenant, load_id, source_key, seen)
SELECT
    :tenant,
    :load_id,
    r.source_key,
    false
FROM rating.source_record AS r
LEFT JOIN ops.load AS own ON own.load_id = r.load_id
WHERE
    r.tenant = :tenant
    AND r.source_id = :source_id
    AND coalesce(own.reading_no, 0) <= coalesce(CAST(:reading_no AS bigint), 0)
    AND r.source_key <> ALL(CAST(:listed AS text[]))
    AND NOT EXISTS (SELECT 1 FROM pg_temp.landed AS l WHERE l.source_key = r.source_key)
    AND NOT EXISTS (
        SELECT 1
        FROM staging.rating AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = r.source_key
    );
