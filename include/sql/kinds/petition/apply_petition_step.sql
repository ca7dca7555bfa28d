-- Made by `make sql` from apply_child.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: store the petition_step rows of inserted and updated records with the version they belong to.
-- Grain: one row per child; a child staged twice counts once, the last row wins. Idempotency: as retire_petition_step.
-- Locks: inserts only, under the tenant's lock.
INSERT INTO petition.petition_step (
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
    c.agency_code,
    c.agency_code_raw,
    c.agency_name,
    c.actor_name,
    c.content
FROM staging.verdict AS v
INNER JOIN staging.petition_step AS c
    ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.outcome IN ('inserted', 'updated')
    AND NOT EXISTS (
        SELECT 1
        FROM staging.superseded AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'petition_step' AND s.row_no = c.row_no
    );
