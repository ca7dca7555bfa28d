-- Purpose: unmapped columns and words of a source, for `lienthong status`. What its newest full load, which reads
--          everything, did not meet any more is settled and left out.
-- Grain: one per kind and name; seen: rows of the newest load that met it. Idempotency: reads only. Locks: none.
SELECT
    f.kind,
    f.name,
    f.seen,
    f.first_load_id,
    f.last_load_id
FROM ops.finding AS f
WHERE
    f.tenant = :tenant
    AND f.source_id = :source_id
    AND f.last_load_id >= coalesce(
        (
            SELECT max(l.load_id)
            FROM ops.load AS l
            WHERE l.tenant = :tenant AND l.source_id = :source_id AND l.mode = 'full' AND l.state = 'merged'
        ),
        0
    )
ORDER BY f.kind, f.seen DESC, f.name;
