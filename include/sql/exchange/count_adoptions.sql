-- Purpose: what is known about dossiers that another program may have delivered. Grain: one row per adoption;
-- `undecided` are those with a payload that neither we delivered nor anybody decided about.
-- Idempotency: reads only. Locks: none.
SELECT
    coalesce(x.adoption, CASE WHEN x.acked_at IS NULL THEN 'undecided' ELSE 'ours' END) AS adoption,
    count(*) AS dossiers
FROM exchange.delivery AS x
WHERE x.tenant = :tenant AND x.wanted_hash IS NOT NULL AND x.dossier_code IS NOT NULL
GROUP BY 1;
