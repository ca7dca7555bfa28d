-- Purpose: the outcome of every staged step, for the conservation check. Runs before anything is applied.
-- Grain: one row per outcome. A child shares the fate of its dossier; in an updated dossier it is compared with itself.
--        A child whose dossier is believed but was not read in this load can't be applied and counts as stale.
-- Idempotency: reads only. Locks: none.
WITH child AS (
    SELECT
        c.*,
        row_number() OVER (PARTITION BY c.source_key, c.child_key ORDER BY c.row_no DESC) AS recency
    FROM staging.step AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
),
verdict AS (
    SELECT DISTINCT ON (v.source_key)
        v.source_key,
        v.outcome
    FROM staging.verdict AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome <> 'duplicate'
    ORDER BY v.source_key, (v.outcome = 'quarantined')
),
rejected AS (
    SELECT DISTINCT x.row_no
    FROM staging.violation AS x
    WHERE x.tenant = :tenant AND x.load_id = :load_id AND x.entity = 'step' AND x.severity = 'reject'
)
SELECT
    CASE
        WHEN rejected.row_no IS NOT NULL OR verdict.outcome = 'quarantined' THEN 'quarantined'
        WHEN c.recency > 1 THEN 'duplicate'
        WHEN verdict.outcome IS NULL THEN 'stale'
        WHEN verdict.outcome <> 'updated' THEN verdict.outcome
        WHEN believed.child_key IS NULL THEN 'inserted'
        WHEN
            believed.step_no IS NOT DISTINCT FROM c.step_no
            AND believed.status IS NOT DISTINCT FROM c.status
            AND believed.status_raw IS NOT DISTINCT FROM c.status_raw
            AND believed.occurred_at IS NOT DISTINCT FROM c.occurred_at
            AND believed.started_at IS NOT DISTINCT FROM c.started_at
            AND believed.due_at IS NOT DISTINCT FROM c.due_at
            AND believed.actor_title IS NOT DISTINCT FROM c.actor_title
            AND believed.department IS NOT DISTINCT FROM c.department
            AND believed.actor_name IS NOT DISTINCT FROM c.actor_name
            AND believed.content IS NOT DISTINCT FROM c.content
            THEN 'unchanged'
        ELSE 'updated'
    END AS outcome,
    count(*) AS amount
FROM child AS c
LEFT JOIN verdict ON verdict.source_key = c.source_key
LEFT JOIN rejected ON rejected.row_no = c.row_no
LEFT JOIN dossier.step AS believed
    ON
        believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = c.source_key
        AND believed.child_key = c.child_key
GROUP BY 1;
