-- Made by `make sql` from count_rejected.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: how many staged rows of a load the gate rejects or blocks, the unit rule applied: a rating shares the fate of
--          its children.
-- Grain: one row. Idempotency: reads only. Locks: none.
WITH rejected AS (
    SELECT v.row_no
    FROM staging.violation AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity = 'rating' AND v.severity = 'reject'
    UNION
    SELECT g.row_no
    FROM staging.violation AS v
    INNER JOIN staging.digest AS g ON g.tenant = :tenant AND g.load_id = :load_id AND g.source_key = v.source_key
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity <> 'rating' AND v.severity = 'reject'
),
blocked AS (
    SELECT
        reason.row_no,
        array_agg(reason.rule_id ORDER BY reason.rule_id COLLATE "C") AS reasons
    FROM (
        SELECT
            v.row_no,
            v.rule_id
        FROM staging.violation AS v
        WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity = 'rating' AND v.severity = 'block'
        UNION
        SELECT
            g.row_no,
            v.rule_id
        FROM staging.violation AS v
        INNER JOIN staging.digest AS g ON g.tenant = :tenant AND g.load_id = :load_id AND g.source_key = v.source_key
        WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity <> 'rating' AND v.severity = 'block'
    ) AS reason
    GROUP BY reason.row_no
),
rejected_key AS (
    SELECT DISTINCT g.source_key
    FROM rejected
    INNER JOIN staging.digest AS g ON g.tenant = :tenant AND g.load_id = :load_id AND g.row_no = rejected.row_no
    WHERE g.source_key IS NOT NULL
),
rejected_child AS (
    SELECT
        v.entity,
        v.row_no
    FROM staging.violation AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity <> 'rating' AND v.severity = 'reject'
    UNION
    SELECT
        'rating_mark' AS entity,
        c.row_no
    FROM staging.rating_mark AS c
    INNER JOIN rejected_key AS r ON r.source_key = c.source_key
    WHERE c.tenant = :tenant AND c.load_id = :load_id
)
SELECT
    (SELECT count(*) FROM rejected) AS rejected,
    (SELECT count(*) FROM rejected_child) AS rejected_children,
    (SELECT count(*) FROM blocked) AS blocked;
