-- Purpose: when a source was last read as a whole, by its newest full load or its first load of all, and when a full load
--          was last tried. By the instants at which those loads were opened.
-- Grain: one row; read_at null before its first merge. Idempotency: reads only. Locks: none.
WITH loads AS (
    SELECT
        max(l.opened_at) FILTER (WHERE l.mode = 'full' AND l.state = 'merged') AS full_at,
        min(l.opened_at) FILTER (WHERE l.mode <> 'range' AND l.state = 'merged') AS first_at,
        max(l.opened_at) FILTER (WHERE l.mode = 'full') AS tried_at
    FROM ops.load AS l
    WHERE l.tenant = :tenant AND l.source_id = :source_id
)
SELECT
    greatest(loads.full_at, loads.first_at) AS read_at,
    loads.tried_at
FROM loads;
