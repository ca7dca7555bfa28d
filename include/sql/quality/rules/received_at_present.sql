-- Purpose: statuses that follow reception need the time of reception (portal-exchange §2.3, field 18).
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
    status IN (2, 4, 5, 6, 8, 9, 10)
    AND received_at IS NULL
