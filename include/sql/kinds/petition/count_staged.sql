-- Made by `make sql` from count_staged.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: how many rows of each entity a load has staged.
-- Grain: one row per entity. Idempotency: reads only. Locks: none.
SELECT
    'petition' AS entity,
    count(*) AS staged
FROM staging.petition
WHERE tenant = :tenant AND load_id = :load_id
UNION ALL
SELECT
    'petition_step' AS entity,
    count(*) AS staged
FROM staging.petition_step
WHERE tenant = :tenant AND load_id = :load_id;
