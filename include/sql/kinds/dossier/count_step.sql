-- Made by `make sql` from count_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: the outcome of every staged step, for the conservation check. Runs before anything is applied.
-- Grain: one row per outcome. A child shares the fate of its dossier; in an updated dossier it is compared with itself.
--        A child whose dossier is believed but was not read in this load can't be applied and counts as stale.
-- Idempotency: reads only. Locks: none.
WITH verdict AS (
    SELECT
        v.source_key,
        min(v.outcome) FILTER (WHERE v.outcome <> 'quarantined') AS merged,
        bool_or(v.outcome = 'quarantined') AS quarantined
    FROM staging.verdict AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome <> 'duplicate'
    GROUP BY v.source_key
),
rejected AS (
    SELECT DISTINCT x.row_no
    FROM staging.violation AS x
    WHERE
        x.tenant = :tenant AND x.load_id = :load_id AND x.entity = 'step' AND x.severity = 'reject'
),
child AS (
    SELECT
        c.row_no,
        c.source_key,
        CASE
            WHEN rejected.row_no IS NOT NULL THEN 'quarantined'
            WHEN verdict.merged IS NULL AND verdict.quarantined THEN 'quarantined'
            WHEN replaced.row_no IS NOT NULL THEN 'duplicate'
            ELSE coalesce(verdict.merged, 'stale')
        END AS outcome
    FROM staging.step AS c
    LEFT JOIN verdict ON verdict.source_key = c.source_key
    LEFT JOIN rejected ON rejected.row_no = c.row_no
    LEFT JOIN staging.superseded AS replaced
        ON
            replaced.tenant = :tenant
            AND replaced.load_id = :load_id
            AND replaced.entity = 'step'
            AND replaced.row_no = c.row_no
    WHERE c.tenant = :tenant AND c.load_id = :load_id
),
compared AS (
    SELECT
        CASE
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
        END AS outcome
    FROM child
    INNER JOIN staging.step AS c
        ON c.tenant = :tenant AND c.load_id = :load_id AND c.row_no = child.row_no
    LEFT JOIN dossier.step AS believed
        ON
            believed.tenant = :tenant
            AND believed.source_id = :source_id
            AND believed.source_key = c.source_key
            AND believed.child_key = c.child_key
    WHERE child.outcome = 'updated'
)
SELECT
    outcome,
    count(*) AS amount
FROM (
    SELECT child.outcome FROM child WHERE child.outcome <> 'updated'
    UNION ALL
    SELECT compared.outcome FROM compared
) AS judged
GROUP BY outcome;
