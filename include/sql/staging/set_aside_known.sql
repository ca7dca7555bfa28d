-- Purpose: take out of staging what find_known found, a dossier with its children, so that gate and merge work on what
--          changed only.
-- Grain: one row of counts per call. Idempotency: a second call finds nothing more. Locks: the deleted rows, of this
--        load only.
WITH digests AS (
    DELETE FROM staging.digest AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
),
dossiers AS (
    DELETE FROM staging.dossier AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
steps AS (
    DELETE FROM staging.step AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
documents AS (
    DELETE FROM staging.document AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
fees AS (
    DELETE FROM staging.fee AS s USING pg_temp.known AS known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM dossiers) AS dossier,
    (SELECT count(*) FROM steps) AS step,
    (SELECT count(*) FROM documents) AS document,
    (SELECT count(*) FROM fees) AS fee;
