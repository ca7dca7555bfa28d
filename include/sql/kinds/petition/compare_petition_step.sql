-- Made by `make sql` from compare_child.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: the outcome of the staged petition_step rows of updated petition records, each compared with itself as it is believed.
-- Grain: one row per outcome; rows that are rejected or replaced, count_petition_step knows. Idempotency: reads only.
-- Locks: none.
WITH compared AS (
    SELECT
        CASE
            WHEN believed.child_key IS NULL THEN 'inserted'
            WHEN
                believed.step_no IS NOT DISTINCT FROM c.step_no
                AND believed.status IS NOT DISTINCT FROM c.status
                AND believed.status_raw IS NOT DISTINCT FROM c.status_raw
                AND believed.occurred_at IS NOT DISTINCT FROM c.occurred_at
                AND believed.agency_code IS NOT DISTINCT FROM c.agency_code
                AND believed.agency_code_raw IS NOT DISTINCT FROM c.agency_code_raw
                AND believed.agency_name IS NOT DISTINCT FROM c.agency_name
                AND believed.actor_name IS NOT DISTINCT FROM c.actor_name
                AND believed.content IS NOT DISTINCT FROM c.content
                THEN 'unchanged'
            ELSE 'updated'
        END AS outcome
    FROM staging.verdict AS v
    INNER JOIN staging.petition_step AS c
        ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
    LEFT JOIN petition.petition_step AS believed
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
                AND x.entity = 'petition_step'
                AND x.severity = 'reject'
                AND x.row_no = c.row_no
        )
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'petition_step' AND s.row_no = c.row_no
        )
)
SELECT
    compared.outcome,
    count(*) AS amount
FROM compared
GROUP BY compared.outcome;
