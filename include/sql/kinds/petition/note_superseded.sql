-- Made by `make sql` from note_superseded.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: children that were staged twice: all but the last row of a key are replaced by it.
-- Grain: one replaced row. Idempotency: the caller empties the load's staging first. Locks: none.
INSERT INTO staging.superseded (tenant, load_id, entity, row_no, source_key)
WITH petition_step_twin AS (
    SELECT
        c.source_key,
        c.child_key,
        max(c.row_no) AS row_no
    FROM staging.petition_step AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    GROUP BY c.source_key, c.child_key
    HAVING count(*) > 1
)
SELECT
    :tenant,
    :load_id,
    'petition_step',
    c.row_no,
    c.source_key
FROM petition_step_twin
INNER JOIN staging.petition_step AS c
    ON
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND c.source_key = petition_step_twin.source_key
        AND c.child_key = petition_step_twin.child_key
WHERE c.row_no < petition_step_twin.row_no;
