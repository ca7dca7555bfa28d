-- Purpose: how many dossiers of a tenant are in each state. Grain: one row per state. Idempotency: reads only.
-- Locks: none.
SELECT
    x.state,
    count(*) AS dossiers
FROM exchange.delivery AS x
WHERE x.tenant = :tenant
GROUP BY x.state
ORDER BY x.state;
