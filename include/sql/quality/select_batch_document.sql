-- Purpose: the rows of one load that the gate looks at, as Great Expectations' batch.
-- Grain: one staged document. Idempotency: reads only. Locks: none.
SELECT *
FROM staging.document
WHERE tenant = :tenant AND load_id = :load_id
