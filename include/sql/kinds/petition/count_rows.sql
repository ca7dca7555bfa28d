-- Made by `make sql` from count_rows.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: how many rows of a load are staged, per entity; compared with what staging wrote, because PostgreSQL empties
--          unlogged tables after a crash without an error.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    (
        SELECT count(*)
        FROM staging.petition AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id
    ) AS petition,
    (
        SELECT count(*)
        FROM staging.petition_step AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id
    ) AS petition_step;
