-- Made by `make sql` from digest_child.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: one hash per record over its staged petition_step rows, for digest_rows: the sum and the XOR of their own hashes,
--          keys included, so that their order does not matter and no sort is needed. OFFSET 0: each row is hashed once, not
--          once for the sum and once for the XOR. Rows that a later one replaces don't count.
-- Grain: one record with such rows. Idempotency: forget_petition_step comes first. Locks: none.
CREATE TEMPORARY TABLE petition_step_digest ON COMMIT DROP AS
WITH hashed AS (
    SELECT
        c.source_key,
        hash_record_extended(ROW(
            c.child_key,
            c.step_no,
            c.status,
            c.status_raw,
            c.occurred_at,
            c.agency_code,
            c.agency_code_raw,
            c.agency_name,
            c.actor_name,
            c.content
        ), 0) AS part,
        c.type_errors
    FROM staging.petition_step AS c
    WHERE
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'petition_step' AND s.row_no = c.row_no
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
