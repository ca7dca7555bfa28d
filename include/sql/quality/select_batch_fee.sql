-- Purpose: the rows of one load that the gate looks at, as Great Expectations' batch.
-- Grain: one staged fee. Idempotency: reads only. Locks: none.
SELECT *
FROM staging.fee
WHERE tenant = :tenant AND load_id = :load_id
