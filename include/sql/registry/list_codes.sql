-- Purpose: every code that a tenant may have: the seeded provinces and the topmost agencies of the catalogue.
-- Grain: one row per code. Idempotency: reads only. Locks: none.
SELECT t.tenant
FROM registry.tenant AS t
UNION
SELECT a.tenant
FROM registry.agency AS a
WHERE a.agency_code = a.tenant
ORDER BY tenant;
