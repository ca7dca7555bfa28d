-- Made by `make sql` from count_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: the outcome of every staged document, for the conservation check. Runs before anything is applied.
-- Grain: one row per outcome. A child shares the fate of its dossier; those of an updated dossier are told apart by
--        compare_document. A child whose dossier is believed but was not read in this load can't be applied and counts
--        as stale.
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
        x.tenant = :tenant AND x.load_id = :load_id AND x.entity = 'document' AND x.severity = 'reject'
),
judged AS (
    SELECT
        CASE
            WHEN rejected.row_no IS NOT NULL THEN 'quarantined'
            WHEN verdict.merged IS NULL AND verdict.quarantined THEN 'quarantined'
            WHEN replaced.row_no IS NOT NULL THEN 'duplicate'
            ELSE coalesce(verdict.merged, 'stale')
        END AS outcome
    FROM staging.document AS c
    LEFT JOIN verdict ON verdict.source_key = c.source_key
    LEFT JOIN rejected ON rejected.row_no = c.row_no
    LEFT JOIN staging.superseded AS replaced
        ON
            replaced.tenant = :tenant
            AND replaced.load_id = :load_id
            AND replaced.entity = 'document'
            AND replaced.row_no = c.row_no
    WHERE c.tenant = :tenant AND c.load_id = :load_id
)
SELECT
    judged.outcome,
    count(*) AS amount
FROM judged
GROUP BY judged.outcome;
