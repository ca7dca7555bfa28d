-- Purpose: what the page of delivery_wanted came to. Grain: one row per state and mode. Idempotency: reads only.
-- Locks: none.
SELECT
    x.state,
    x.mode,
    count(*) AS dossiers
FROM delivery_wanted AS w
INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = w.dossier_id
GROUP BY x.state, x.mode;
