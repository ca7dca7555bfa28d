-- Purpose: a received dossier without a due date can't be judged by its own deadline (portal-exchange §4.8).
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
    received_at IS NOT NULL
    AND due_at IS NULL
