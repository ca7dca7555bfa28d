-- Purpose: how many units a run scored. Grain: one row per kind of unit. Idempotency: reads. Locks: none.
SELECT
    kind,
    count(*) AS units
FROM indices.score_unit
WHERE tenant = ANY(:tenants)
    AND run_id = :run_id
GROUP BY kind
ORDER BY array_position(ARRAY['ministry', 'province', 'department', 'commune'], kind)
