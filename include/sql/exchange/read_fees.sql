-- Purpose: fees of some source records. Personal: for payloads only.
-- Grain: one row per child; after the record's key, columns as in exchange.believed. Idempotency: reads only.
-- Locks: none.
SELECT
    c.source_id,
    c.source_key,
    c.child_key,
    c.name,
    c.fee_code,
    c.kind,
    c.amount
FROM unnest(CAST(:source_ids AS text[]), CAST(:source_keys AS text[])) AS record (source_id, source_key)
INNER JOIN dossier.fee AS c
    ON c.tenant = :tenant AND c.source_id = record.source_id AND c.source_key = record.source_key
ORDER BY c.source_id, c.source_key, length(c.child_key), c.child_key;
