-- Purpose: when a source was last asked for everything: by its newest full load, or by its first load of all.
-- Grain: one row; null before its first merge. Idempotency: reads only. Locks: none.
WITH reading AS (
    SELECT
        max(l.opened_at) FILTER (WHERE l.mode = 'full') AS full_at,
        min(l.opened_at) FILTER (WHERE l.state = 'merged' AND l.mode <> 'range') AS first_at
    FROM ops.load AS l
    WHERE l.tenant = :tenant AND l.source_id = :source_id
)
SELECT CASE WHEN reading.first_at IS NOT NULL THEN greatest(reading.full_at, reading.first_at) END AS read_at
FROM reading;
