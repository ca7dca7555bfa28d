-- Made by `make sql` from count_staged.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: how many rows of each entity a load has staged.
-- Grain: one row per entity. Idempotency: reads only. Locks: none.
SELECT
    'rating' AS entity,
    count(*) AS staged
FROM staging.rating
WHERE tenant = :tenant AND load_id = :load_id
UNION ALL
SELECT
    'rating_mark' AS entity,
    count(*) AS staged
FROM staging.rating_mark
WHERE tenant = :tenant AND load_id = :load_id;
