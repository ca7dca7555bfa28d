-- Purpose: one line per source: how many dossiers are in quarantine, blocked or warned about, and as of which load.
--   A dossier in quarantine is not counted again as blocked or warned about.
-- Grain: one source of a tenant that was ever loaded. Idempotency: reads only. Locks: none.
WITH loaded AS (
    SELECT
        source_id,
        max(load_id) FILTER (WHERE state = 'merged') AS load_id,
        max(merged_at) AS merged_at
    FROM ops.load
    WHERE tenant = :tenant
    GROUP BY source_id
),

held AS (
    SELECT
        q.source_id,
        count(*) FILTER (WHERE e.is_root) AS records,
        count(*) FILTER (WHERE NOT e.is_root) AS children
    FROM quality.quarantine AS q
    INNER JOIN ops.entity AS e ON e.entity = q.entity
    WHERE q.tenant = :tenant AND q.state = 'open'
    GROUP BY q.source_id
),

broken AS (
    SELECT
        v.source_id,
        count(DISTINCT v.source_key) FILTER (WHERE v.severity = 'block') AS blocked,
        count(DISTINCT v.source_key) FILTER (WHERE v.severity = 'warn') AS warned
    FROM quality.violation AS v
    WHERE
        v.tenant = :tenant
        AND v.resolved_load_id IS NULL
        AND v.source_key <> ''
        AND NOT EXISTS (
            SELECT
            FROM quality.quarantine AS q
            INNER JOIN ops.entity AS e ON e.entity = q.entity
            WHERE
                q.tenant = :tenant
                AND q.source_id = v.source_id
                AND e.is_root
                AND q.source_key = v.source_key
                AND q.state = 'open'
        )
    GROUP BY v.source_id
)

SELECT
    l.source_id,
    COALESCE(s.title, l.source_id) AS source_title,
    l.load_id,
    l.merged_at,
    COALESCE(h.records, 0) AS quarantined_dossiers,
    COALESCE(h.children, 0) AS quarantined_children,
    COALESCE(b.blocked, 0) AS blocked_dossiers,
    COALESCE(b.warned, 0) AS warned_dossiers
FROM loaded AS l
LEFT JOIN ops.source AS s ON s.tenant = :tenant AND l.source_id = s.source_id
LEFT JOIN held AS h ON l.source_id = h.source_id
LEFT JOIN broken AS b ON l.source_id = b.source_id
ORDER BY l.source_id
