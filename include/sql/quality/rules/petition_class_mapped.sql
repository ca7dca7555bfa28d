-- Purpose: the class must be one of the three of a petition (model/codes.PetitionClass).
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
    classification IS NULL
    OR classification NOT BETWEEN 1 AND 3
