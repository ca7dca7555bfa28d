-- Purpose: documents of some source records. Personal: for payloads only.
-- Grain: one row per child; after the record's key, columns as in exchange.believed. Idempotency: reads only.
-- Locks: none.
SELECT
    c.source_id,
    c.source_key,
    c.child_key,
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
FROM unnest(CAST(:source_ids AS text[]), CAST(:source_keys AS text[])) AS record (source_id, source_key)
INNER JOIN dossier.document AS c
    ON c.tenant = :tenant AND c.source_id = record.source_id AND c.source_key = record.source_key
ORDER BY c.source_id, c.source_key, length(c.child_key), c.child_key;
