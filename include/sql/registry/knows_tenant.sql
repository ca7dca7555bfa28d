-- Purpose: whether the registry knows a tenant, and whether it has agencies at all (before the first catalogue sync it
-- knows nobody). Grain: one tenant. Idempotency: reads only. Locks: none.
SELECT
    EXISTS (SELECT 1 FROM registry.agency) AS synced,
    EXISTS (SELECT 1 FROM registry.agency AS a WHERE a.tenant = :tenant)
    OR EXISTS (SELECT 1 FROM registry.tenant AS t WHERE t.tenant = :tenant) AS known;
