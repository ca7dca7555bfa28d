-- Purpose: a criterion of Nghị định 61/2018 is marked 0, 1 or 2.
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
    mark IS NULL
    OR mark NOT BETWEEN 0 AND 2
