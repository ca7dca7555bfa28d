-- Purpose: dossiers that the portal shows otherwise than we would send them, for people: keys and field names.
-- Grain: one row per dossier of one kind, or of any that differs. Idempotency: reads only. Locks: none.
SELECT
    c.dossier_code,
    c.verdict,
    c.kinds,
    c.fields,
    c.seen,
    c.asked_at
FROM exchange.delivery AS x
INNER JOIN exchange.comparison AS c
    ON
        c.tenant = :tenant
        AND c.dossier_id = x.dossier_id
        AND c.verdict IS NOT NULL
        AND c.wanted_hash = x.wanted_hash
        AND c.recipe = x.recipe
        AND c.dossier_code = x.dossier_code
WHERE
    x.tenant = :tenant
    AND CASE WHEN CAST(:kind AS text) IS NULL THEN c.verdict <> 'same' ELSE :kind = ANY(c.kinds) END
ORDER BY c.dossier_code
LIMIT :most;
