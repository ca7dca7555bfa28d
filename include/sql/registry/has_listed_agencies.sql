-- Purpose: whether the national catalogue lists agencies of a tenant: without any there is nothing to score.
-- Grain: one tenant. Idempotency: reads only. Locks: none.
SELECT
    EXISTS (
        SELECT 1
        FROM registry.agency AS a
        WHERE
            a.tenant = :tenant
            AND a.listed
    ) AS listed;
