-- Purpose: the next dossiers after a key with steps that are owed, or (`settling`) that may have arrived and can be
-- settled by themselves. What was tried :most_attempts times is left to people.
-- Grain: one row per dossier, in key order. Cost: a page of the partial indexes. Idempotency: reads only. Locks: none.
SELECT page.dossier_id::text AS dossier_id
FROM (
    (
        SELECT DISTINCT s.dossier_id
        FROM exchange.step_delivery AS s
        WHERE s.tenant = :tenant AND s.state = 'owed' AND s.dossier_id > CAST(:after AS uuid)
        ORDER BY s.dossier_id
        LIMIT :size
    )
    UNION
    (
        SELECT DISTINCT s.dossier_id
        FROM exchange.step_delivery AS s
        WHERE
            CAST(:settling AS boolean)
            AND s.tenant = :tenant
            AND s.state = 'unsettled'
            AND s.dossier_id > CAST(:after AS uuid)
            AND s.attempts < :most_attempts
        ORDER BY s.dossier_id
        LIMIT :size
    )
) AS page
ORDER BY page.dossier_id
LIMIT :size;
