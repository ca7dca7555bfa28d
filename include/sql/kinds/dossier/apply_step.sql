-- Made by `make sql` from apply_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: store the step rows of inserted and updated records with the version they belong to.
-- Grain: one row per child; a child staged twice counts once, the last row wins. Idempotency: as retire_step.
-- Locks: inserts only, under the tenant's lock.
INSERT INTO dossier.step (
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
    content
)
SELECT
    :tenant,
    :source_id,
    c.source_key,
    c.child_key,
    v.version,
    c.step_no,
    c.status,
    c.status_raw,
    c.occurred_at,
    c.started_at,
    c.due_at,
    c.actor_title,
    c.department,
    c.actor_name,
    c.content
FROM staging.verdict AS v
INNER JOIN staging.step AS c
    ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.outcome IN ('inserted', 'updated')
    AND NOT EXISTS (
        SELECT 1
        FROM staging.superseded AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'step' AND s.row_no = c.row_no
    );
