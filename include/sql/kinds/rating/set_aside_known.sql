-- Made by `make sql` from set_aside_known.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: take out of staging what find_known found, a rating with its children, so that gate and merge work on what
--          changed only.
-- Grain: one row of counts per call. Idempotency: a second call finds nothing more. Locks: the deleted rows, of this
--        load only.
WITH digests AS (
    DELETE FROM staging.digest AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
),
rating_rows AS (
    DELETE FROM staging.rating AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
rating_mark_rows AS (
    DELETE FROM staging.rating_mark AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM rating_rows) AS rating,
    (SELECT count(*) FROM rating_mark_rows) AS rating_mark;
