-- Made by `make sql` from note_superseded_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: document rows that were staged twice: all but the last row of a key are replaced by it.
-- Grain: one replaced row. Idempotency: forget_document comes first. Locks: none.
INSERT INTO staging.superseded (tenant, load_id, entity, row_no, source_key)
WITH twin AS (
    SELECT
        c.source_key,
        c.child_key,
        max(c.row_no) AS row_no
    FROM staging.document AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    GROUP BY c.source_key, c.child_key
    HAVING count(*) > 1
)
SELECT
    :tenant,
    :load_id,
    'document',
    c.row_no,
    c.source_key
FROM twin
INNER JOIN staging.document AS c
    ON
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND c.source_key = twin.source_key
        AND c.child_key = twin.child_key
WHERE c.row_no < twin.row_no;
