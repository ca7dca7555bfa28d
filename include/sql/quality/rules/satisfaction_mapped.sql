-- Purpose: the level must be one of the three that provinces ask for (model/codes.Satisfaction).
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
    satisfaction IS NULL
    OR satisfaction NOT BETWEEN 1 AND 3
