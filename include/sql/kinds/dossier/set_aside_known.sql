-- Made by `make sql` from set_aside_known.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: take out of staging what find_known found, a dossier with its children, so that gate and merge work on what
--          changed only.
-- Grain: one row of counts per call. Idempotency: a second call finds nothing more. Locks: the deleted rows, of this
--        load only.
WITH digests AS (
    DELETE FROM staging.digest AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
),
dossier_rows AS (
    DELETE FROM staging.dossier AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
step_rows AS (
    DELETE FROM staging.step AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
document_rows AS (
    DELETE FROM staging.document AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
fee_rows AS (
    DELETE FROM staging.fee AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM dossier_rows) AS dossier,
    (SELECT count(*) FROM step_rows) AS step,
    (SELECT count(*) FROM document_rows) AS document,
    (SELECT count(*) FROM fee_rows) AS fee;
