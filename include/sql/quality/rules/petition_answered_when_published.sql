-- Purpose: what is made public is an answer, so its date must be known.
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
    (status = 6 OR published_at IS NOT NULL)
    AND answered_at IS NULL
