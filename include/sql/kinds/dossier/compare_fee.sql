-- Made by `make sql` from compare_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: the outcome of the staged fee rows of updated dossier records, each compared with itself as it is believed.
-- Grain: one row per outcome; rows that are rejected or replaced, count_fee knows. Idempotency: reads only.
-- Locks: none.
WITH compared AS (
    SELECT
        CASE
            WHEN believed.child_key IS NULL THEN 'inserted'
            WHEN
                believed.name IS NOT DISTINCT FROM c.name
                AND believed.fee_code IS NOT DISTINCT FROM c.fee_code
                AND believed.kind IS NOT DISTINCT FROM c.kind
                AND believed.amount IS NOT DISTINCT FROM c.amount
                AND believed.payment_channel IS NOT DISTINCT FROM c.payment_channel
                AND believed.paid IS NOT DISTINCT FROM c.paid
                AND believed.paid_at IS NOT DISTINCT FROM c.paid_at
                THEN 'unchanged'
            ELSE 'updated'
        END AS outcome
    FROM staging.verdict AS v
    INNER JOIN staging.fee AS c
        ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
    LEFT JOIN dossier.fee AS believed
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
                AND x.entity = 'fee'
                AND x.severity = 'reject'
                AND x.row_no = c.row_no
        )
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'fee' AND s.row_no = c.row_no
        )
)
SELECT
    compared.outcome,
    count(*) AS amount
FROM compared
GROUP BY compared.outcome;
