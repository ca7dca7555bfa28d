-- Made by `make sql` from retire_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: move the step rows of updated dossier records into history; children are versioned with their dossier.
-- Grain: one history row per child of a superseded version. Idempotency: run once per load in merge's transaction.
-- Locks: deletes rows of updated records, under the tenant's lock.
WITH retired AS (
    DELETE FROM dossier.step AS believed
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
        believed.step_no,
        believed.status,
        believed.status_raw,
        believed.occurred_at,
        believed.started_at,
        believed.due_at,
        believed.actor_title,
        believed.department,
        believed.actor_name,
        believed.content
)
INSERT INTO dossier.step_history (
    tenant,
    source_id,
    source_key,
    child_key,
    version,
    step_no,
    status,
    status_raw,
    occurred_at,
    started_at,
    due_at,
    actor_title,
    department,
    actor_name,
    content,
    superseded_by
)
SELECT
    retired.tenant,
    retired.source_id,
    retired.source_key,
    retired.child_key,
    retired.version,
    retired.step_no,
    retired.status,
    retired.status_raw,
    retired.occurred_at,
    retired.started_at,
    retired.due_at,
    retired.actor_title,
    retired.department,
    retired.actor_name,
    retired.content,
    :load_id
FROM retired;
