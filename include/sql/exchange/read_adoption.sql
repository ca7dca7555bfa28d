-- Purpose: until when another program sent for a tenant. Grain: one row or none. Idempotency: reads only. Locks: none.
SELECT
    a.frozen_at,
    a.assumed_before,
    a.opened_at
FROM exchange.adoption AS a
WHERE a.tenant = :tenant;
