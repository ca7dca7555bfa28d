-- Purpose: the provinces that send, from include/registry/provinces.csv. Grain: one row per tenant.
-- Idempotency: only changed rows are written. Locks: those rows.
INSERT INTO registry.tenant AS t (
    tenant,
    name,
    admin_code
)
SELECT
    seed.tenant,
    seed.name,
    seed.admin_code
FROM unnest(
    CAST(:tenants AS text[]),
    CAST(:names AS text[]),
    CAST(:admin_codes AS text[])
) AS seed (tenant, name, admin_code)
ORDER BY seed.tenant
ON CONFLICT (tenant) DO UPDATE SET
    name = excluded.name,
    admin_code = excluded.admin_code
WHERE (t.name, t.admin_code) IS DISTINCT FROM (excluded.name, excluded.admin_code)
RETURNING tenant;
