-- Purpose: which sources of a tenant may send. Grain: one row per source. Idempotency: reads only. Locks: none.
SELECT
    s.source_id,
    s.opened_at,
    s.reason
FROM exchange.sender AS s
WHERE s.tenant = :tenant
ORDER BY s.source_id;
