-- Purpose: submitted, received, finished, returned follow each other; the due date is not before reception.
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
    submitted_at > LEAST(received_at, finished_at, returned_at)
    OR received_at > LEAST(finished_at, returned_at)
    OR finished_at > returned_at
    OR due_at < received_at
