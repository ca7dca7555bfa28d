-- Made by `make sql` from count_rows.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: how many rows of a load are staged, per entity; compared with what staging wrote, because PostgreSQL empties
--          unlogged tables after a crash without an error.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    (
        SELECT count(*)
        FROM staging.dossier AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id
    ) AS dossier,
    (
        SELECT count(*)
        FROM staging.step AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id
    ) AS step,
    (
        SELECT count(*)
        FROM staging.document AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id
    ) AS document,
    (
        SELECT count(*)
        FROM staging.fee AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id
    ) AS fee;
