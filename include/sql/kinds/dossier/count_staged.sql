-- Made by `make sql` from count_staged.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: how many rows of each entity a load has staged.
-- Grain: one row per entity. Idempotency: reads only. Locks: none.
SELECT
    'dossier' AS entity,
    count(*) AS staged
FROM staging.dossier
WHERE tenant = :tenant AND load_id = :load_id
UNION ALL
SELECT
    'step' AS entity,
    count(*) AS staged
FROM staging.step
WHERE tenant = :tenant AND load_id = :load_id
UNION ALL
SELECT
    'document' AS entity,
    count(*) AS staged
FROM staging.document
WHERE tenant = :tenant AND load_id = :load_id
UNION ALL
SELECT
    'fee' AS entity,
    count(*) AS staged
FROM staging.fee
WHERE tenant = :tenant AND load_id = :load_id;
