-- Purpose: of which kind the records of a source are. Grain: one row. Idempotency: reads only. Locks: none.
SELECT s.kind
FROM ops.source AS s
WHERE s.tenant = :tenant AND s.source_id = :source_id;
