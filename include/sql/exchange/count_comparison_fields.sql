-- Purpose: in which fields the portal's dossiers differ from ours. Grain: one row per wire name. Idempotency: reads only.
-- Locks: none.
SELECT
    differing.name AS field,
    count(*) AS dossiers
FROM exchange.delivery AS x
INNER JOIN exchange.comparison AS c
    ON
        c.tenant = :tenant
        AND c.dossier_id = x.dossier_id
        AND c.verdict IS NOT NULL
        AND c.wanted_hash = x.wanted_hash
        AND c.recipe = x.recipe
        AND c.dossier_code = x.dossier_code
CROSS JOIN LATERAL unnest(c.fields) AS differing (name)
WHERE x.tenant = :tenant
GROUP BY differing.name
ORDER BY count(*) DESC, differing.name;
