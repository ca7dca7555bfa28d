-- Made by `make sql` from compare_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: the outcome of the staged document rows of updated dossier records, each compared with itself as it is believed.
-- Grain: one row per outcome; rows that are rejected or replaced, count_document knows. Idempotency: reads only.
-- Locks: none.
WITH compared AS (
    SELECT
        CASE
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
        END AS outcome
    FROM staging.verdict AS v
    INNER JOIN staging.document AS c
        ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
    LEFT JOIN dossier.document AS believed
        ON
            believed.tenant = :tenant
            AND believed.source_id = :source_id
            AND believed.source_key = c.source_key
            AND believed.child_key = c.child_key
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND NOT EXISTS (
            SELECT 1
            FROM staging.violation AS x
            WHERE
                x.tenant = :tenant
                AND x.load_id = :load_id
                AND x.entity = 'document'
                AND x.severity = 'reject'
                AND x.row_no = c.row_no
        )
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'document' AND s.row_no = c.row_no
        )
)
SELECT
    compared.outcome,
    count(*) AS amount
FROM compared
GROUP BY compared.outcome;
