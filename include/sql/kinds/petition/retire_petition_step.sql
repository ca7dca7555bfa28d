-- Made by `make sql` from retire_child.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: move the petition_step rows of updated petition records into history; children are versioned with their petition.
-- Grain: one history row per child of a superseded version. Idempotency: run once per load in merge's transaction.
-- Locks: deletes rows of updated records, under the tenant's lock.
WITH retired AS (
    DELETE FROM petition.petition_step AS believed
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
        believed.agency_code,
        believed.agency_code_raw,
        believed.agency_name,
        believed.actor_name,
        believed.content
)
INSERT INTO petition.petition_step_history (
    tenant,
    source_id,
    source_key,
    child_key,
    version,
    step_no,
    status,
    status_raw,
    occurred_at,
    agency_code,
    agency_code_raw,
    agency_name,
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
    retired.agency_code,
    retired.agency_code_raw,
    retired.agency_name,
    retired.actor_name,
    retired.content,
    :load_id
FROM retired;
