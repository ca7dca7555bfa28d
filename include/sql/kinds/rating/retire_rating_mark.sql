-- Made by `make sql` from retire_child.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: move the rating_mark rows of updated rating records into history; children are versioned with their rating.
-- Grain: one history row per child of a superseded version. Idempotency: run once per load in merge's transaction.
-- Locks: deletes rows of updated records, under the tenant's lock.
WITH retired AS (
    DELETE FROM rating.rating_mark AS believed
    USING staging.verdict AS v
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = v.source_key
    RETURNING
        believed.tenant,
        believed.source_id,
        believed.source_key,
        believed.child_key,
        believed.version,
        believed.criterion,
        believed.mark,
        believed.mark_raw
)
INSERT INTO rating.rating_mark_history (
    tenant,
    source_id,
    source_key,
    child_key,
    version,
    criterion,
    mark,
    mark_raw,
    superseded_by
)
SELECT
    retired.tenant,
    retired.source_id,
    retired.source_key,
    retired.child_key,
    retired.version,
    retired.criterion,
    retired.mark,
    retired.mark_raw,
    :load_id
FROM retired;
