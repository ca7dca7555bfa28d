-- Purpose: every ancestor of every listed agency. Grain: one row per pair. Idempotency: only changed rows are written.
-- Locks: those rows, under lock_catalogue.
INSERT INTO registry.agency_closure AS c (
    ancestor_code,
    descendant_code,
    tenant,
    depth
)
SELECT
    pair.ancestor_code,
    pair.descendant_code,
    pair.tenant,
    pair.depth
FROM unnest(
    CAST(:ancestors AS text[]),
    CAST(:descendants AS text[]),
    CAST(:tenants AS text[]),
    CAST(:depths AS smallint[])
) AS pair (ancestor_code, descendant_code, tenant, depth)
ON CONFLICT (ancestor_code, descendant_code) DO UPDATE SET
    tenant = excluded.tenant,
    depth = excluded.depth
WHERE (c.tenant, c.depth) IS DISTINCT FROM (excluded.tenant, excluded.depth);
