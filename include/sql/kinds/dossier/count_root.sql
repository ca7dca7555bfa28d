-- Made by `make sql` from count_root.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: the outcome of every staged dossier row, for the conservation check.
-- Grain: one row per outcome. Idempotency: reads only. Locks: none.
SELECT
    v.outcome,
    count(*) AS amount
FROM staging.verdict AS v
WHERE v.tenant = :tenant AND v.load_id = :load_id
GROUP BY v.outcome;
