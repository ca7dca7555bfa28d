-- Purpose: the tenant that a source was first loaded for: of all tenants the one of its oldest merged load.
-- Grain: one row, none before the first merge. Idempotency: reads only. Locks: none.
SELECT s.tenant
FROM ops.source AS s
CROSS JOIN LATERAL (
    SELECT l.load_id
    FROM ops.load AS l
    WHERE l.tenant = s.tenant AND l.source_id = s.source_id AND l.state = 'merged'
    ORDER BY l.load_id
    LIMIT 1
) AS oldest
WHERE s.source_id = :source_id
ORDER BY oldest.load_id
LIMIT 1;
