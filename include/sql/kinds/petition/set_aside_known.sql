-- Made by `make sql` from set_aside_known.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: take out of staging what find_known found, a petition with its children, so that gate and merge work on what
--          changed only.
-- Grain: one row of counts per call. Idempotency: a second call finds nothing more. Locks: the deleted rows, of this
--        load only.
WITH digests AS (
    DELETE FROM staging.digest AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
),
petition_rows AS (
    DELETE FROM staging.petition AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
petition_step_rows AS (
    DELETE FROM staging.petition_step AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM petition_rows) AS petition,
    (SELECT count(*) FROM petition_step_rows) AS petition_step;
