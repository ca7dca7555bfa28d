-- Made by `make sql` from retire_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: move the document rows of updated dossier records into history; children are versioned with their dossier.
-- Grain: one history row per child of a superseded version. Idempotency: run once per load in merge's transaction.
-- Locks: deletes rows of updated records, under the tenant's lock.
WITH retired AS (
    DELETE FROM dossier.document AS believed
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
        believed.role,
        believed.component_code,
        believed.result_code,
        believed.has_file,
        believed.removed,
        believed.digitised,
        believed.reuse,
        believed.from_citizen_store,
        believed.name,
        believed.url
)
INSERT INTO dossier.document_history (
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
    url,
    superseded_by
)
SELECT
    retired.tenant,
    retired.source_id,
    retired.source_key,
    retired.child_key,
    retired.version,
    retired.role,
    retired.component_code,
    retired.result_code,
    retired.has_file,
    retired.removed,
    retired.digitised,
    retired.reuse,
    retired.from_citizen_store,
    retired.name,
    retired.url,
    :load_id
FROM retired;
