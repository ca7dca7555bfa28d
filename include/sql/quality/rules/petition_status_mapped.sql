-- Purpose: the status must be one of the eight of a petition (model/codes.PetitionStatus).
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
    status IS NULL
    OR status NOT BETWEEN 1 AND 8
