-- Purpose: an amount in đồng: present, not negative, at most ten billion.
-- Grain: one row per failing row of {batch}. Idempotency: reads only. Locks: none.
WITH staged AS (
    SELECT * FROM {batch}
)

SELECT
    row_no,
    source_key,
    child_key
FROM staged
WHERE
    amount IS NULL
    OR amount NOT BETWEEN 0 AND 10000000000
