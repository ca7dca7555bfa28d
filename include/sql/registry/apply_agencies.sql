-- Purpose: new and changed agencies. Grain: one row per agency. Idempotency: only changed rows are written.
-- Locks: those rows, under lock_catalogue.
INSERT INTO registry.agency AS a (
    agency_code,
    tenant,
    name,
    level,
    parent_code
)
SELECT
    listed.agency_code,
    listed.tenant,
    listed.name,
    listed.level,
    listed.parent_code
FROM unnest(
    CAST(:codes AS text[]),
    CAST(:tenants AS text[]),
    CAST(:names AS text[]),
    CAST(:levels AS text[]),
    CAST(:parents AS text[])
) AS listed (agency_code, tenant, name, level, parent_code)
ON CONFLICT (agency_code) DO UPDATE SET
    tenant = excluded.tenant,
    name = excluded.name,
    level = excluded.level,
    parent_code = excluded.parent_code,
    listed = true
WHERE
    (a.tenant, a.name, a.level, a.parent_code, a.listed)
    IS DISTINCT FROM (excluded.tenant, excluded.name, excluded.level, excluded.parent_code, true);
