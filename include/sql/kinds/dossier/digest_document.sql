-- Made by `make sql` from digest_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: one hash per record over its staged document rows, for digest_rows: the sum and the XOR of their own hashes,
--          keys included, so that their order does not matter and no sort is needed. OFFSET 0: each row is hashed once, not
--          once for the sum and once for the XOR. Rows that a later one replaces don't count.
-- Grain: one record with such rows. Idempotency: forget_document comes first. Locks: none.
CREATE TEMPORARY TABLE document_digest ON COMMIT DROP AS
WITH hashed AS (
    SELECT
        c.source_key,
        hash_record_extended(ROW(
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
        ), 0) AS part,
        c.type_errors
    FROM staging.document AS c
    WHERE
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'document' AND s.row_no = c.row_no
        )
    OFFSET 0
)
SELECT
    source_key,
    sum(part) AS low,
    bit_xor(part) AS high,
    bool_or(type_errors IS NOT NULL) AS untyped
FROM hashed
GROUP BY source_key;
