-- Purpose: how many steps of a tenant are in each state. Grain: one row per state. Idempotency: reads only.
-- Locks: none.
SELECT
    s.state,
    count(*) AS steps
FROM exchange.step_delivery AS s
WHERE s.tenant = :tenant
GROUP BY s.state
ORDER BY s.state;
