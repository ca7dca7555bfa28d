-- Made by `make sql` from note_superseded.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: children that were staged twice: all but the last row of a key are replaced by it.
-- Grain: one replaced row. Idempotency: the caller empties the load's staging first. Locks: none.
INSERT INTO staging.superseded (tenant, load_id, entity, row_no, source_key)
WITH step_twin AS (
    SELECT
        c.source_key,
        c.child_key,
        max(c.row_no) AS row_no
    FROM staging.step AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    GROUP BY c.source_key, c.child_key
    HAVING count(*) > 1
),
document_twin AS (
    SELECT
        c.source_key,
        c.child_key,
        max(c.row_no) AS row_no
    FROM staging.document AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    GROUP BY c.source_key, c.child_key
    HAVING count(*) > 1
),
fee_twin AS (
    SELECT
        c.source_key,
        c.child_key,
        max(c.row_no) AS row_no
    FROM staging.fee AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    GROUP BY c.source_key, c.child_key
    HAVING count(*) > 1
)
SELECT
    :tenant,
    :load_id,
    'step',
    c.row_no,
    c.source_key
FROM step_twin
INNER JOIN staging.step AS c
    ON
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND c.source_key = step_twin.source_key
        AND c.child_key = step_twin.child_key
WHERE c.row_no < step_twin.row_no
UNION ALL
SELECT
    :tenant,
    :load_id,
    'document',
    c.row_no,
    c.source_key
FROM document_twin
INNER JOIN staging.document AS c
    ON
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND c.source_key = document_twin.source_key
        AND c.child_key = document_twin.child_key
WHERE c.row_no < document_twin.row_no
UNION ALL
SELECT
    :tenant,
    :load_id,
    'fee',
    c.row_no,
    c.source_key
FROM fee_twin
INNER JOIN staging.fee AS c
    ON
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND c.source_key = fee_twin.source_key
        AND c.child_key = fee_twin.child_key
WHERE c.row_no < fee_twin.row_no;
