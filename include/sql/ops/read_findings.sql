-- Purpose: unmapped columns and words of every source's newest load that met them, for people.
-- Grain: one per source, kind and name. Idempotency: reads only. Locks: none.
SELECT
    f.tenant,
    f.source_id,
    f.kind,
    f.name,
    f.seen,
    f.last_load_id
FROM ops.finding AS f
ORDER BY f.tenant, f.source_id, f.kind, f.name;
