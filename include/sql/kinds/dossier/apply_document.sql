-- Made by `make sql` from apply_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: store the document rows of inserted and updated records with the version they belong to.
-- Grain: one row per child; a child staged twice counts once, the last row wins. Idempotency: as retire_document.
-- Locks: inserts only, under the tenant's lock.
INSERT INTO dossier.document (
    tenant,
    source_id,
    source_key,
    child_key,
    version,
    role,
    component_code,
    result_code,
    has_file,
    removed,
    digitised,
    reuse,
    from_citizen_store,
    name,
    url
)
SELECT
    :tenant,
    :source_id,
    c.source_key,
    c.child_key,
    v.version,
    c.role,
    c.component_code,
    c.result_code,
    c.has_file,
    c.removed,
    c.digitised,
    c.reuse,
    c.from_citizen_store,
    c.name,
    c.url
FROM staging.verdict AS v
INNER JOIN staging.document AS c
    ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.outcome IN ('inserted', 'updated')
    AND NOT EXISTS (
        SELECT 1
        FROM staging.superseded AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'document' AND s.row_no = c.row_no
    );
