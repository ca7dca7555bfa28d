-- Purpose: the outcome of every staged document, for the conservation check. Runs before anything is applied.
-- Grain: one row per outcome. A child shares the fate of its dossier; in an updated dossier it is compared with itself.
--        A child whose dossier is believed but was not read in this load can't be applied and counts as stale.
-- Idempotency: reads only. Locks: none.
WITH child AS (
    SELECT
        c.*,
        row_number() OVER (PARTITION BY c.source_key, c.child_key ORDER BY c.row_no DESC) AS recency
    FROM staging.document AS c
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
    WHERE x.tenant = :tenant AND x.load_id = :load_id AND x.entity = 'document' AND x.severity = 'reject'
)
SELECT
    CASE
        WHEN rejected.row_no IS NOT NULL OR verdict.outcome = 'quarantined' THEN 'quarantined'
        WHEN c.recency > 1 THEN 'duplicate'
        WHEN verdict.outcome IS NULL THEN 'stale'
        WHEN verdict.outcome <> 'updated' THEN verdict.outcome
        WHEN believed.child_key IS NULL THEN 'inserted'
        WHEN
            believed.role IS NOT DISTINCT FROM c.role
            AND believed.component_code IS NOT DISTINCT FROM c.component_code
            AND believed.result_code IS NOT DISTINCT FROM c.result_code
            AND believed.has_file IS NOT DISTINCT FROM c.has_file
            AND believed.removed IS NOT DISTINCT FROM c.removed
            AND believed.digitised IS NOT DISTINCT FROM c.digitised
            AND believed.reuse IS NOT DISTINCT FROM c.reuse
            AND believed.from_citizen_store IS NOT DISTINCT FROM c.from_citizen_store
            AND believed.name IS NOT DISTINCT FROM c.name
            AND believed.url IS NOT DISTINCT FROM c.url
            THEN 'unchanged'
        ELSE 'updated'
    END AS outcome,
    count(*) AS amount
FROM child AS c
LEFT JOIN verdict ON verdict.source_key = c.source_key
LEFT JOIN rejected ON rejected.row_no = c.row_no
LEFT JOIN dossier.document AS believed
    ON
        believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = c.source_key
        AND believed.child_key = c.child_key
GROUP BY 1;
