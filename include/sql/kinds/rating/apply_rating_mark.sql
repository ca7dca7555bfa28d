-- Made by `make sql` from apply_child.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: store the rating_mark rows of inserted and updated records with the version they belong to.
-- Grain: one row per child; a child staged twice counts once, the last row wins. Idempotency: as retire_rating_mark.
-- Locks: inserts only, under the tenant's lock.
INSERT INTO rating.rating_mark (
    tenant,
    source_id,
    source_key,
    child_key,
    version,
    criterion,
    mark,
    mark_raw
)
SELECT
    :tenant,
    :source_id,
    c.source_key,
    c.child_key,
    v.version,
    c.criterion,
    c.mark,
    c.mark_raw
FROM staging.verdict AS v
INNER JOIN staging.rating_mark AS c
    ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.outcome IN ('inserted', 'updated')
    AND NOT EXISTS (
        SELECT 1
        FROM staging.superseded AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'rating_mark' AND s.row_no = c.row_no
    );
