-- Purpose: why dossiers are held back. Grain: one row per hold and reason; a dossier counts under each of its reasons.
-- Idempotency: reads only. Locks: none.
SELECT
    x.hold,
    reason.name AS reason,
    count(*) AS dossiers
FROM exchange.delivery AS x
CROSS JOIN LATERAL unnest(x.reasons) AS reason (name)
WHERE x.tenant = :tenant AND x.hold IS NOT NULL
GROUP BY x.hold, reason.name
ORDER BY x.hold, count(*) DESC, reason.name;
