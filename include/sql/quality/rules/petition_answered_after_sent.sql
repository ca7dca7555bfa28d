-- Purpose: nobody can answer what has not been sent; the days of indicator 5.2 would be negative.
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
    answered_at < sent_at
