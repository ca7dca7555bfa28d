-- Purpose: transfer, question and refusal follow the sending, publication follows the answer.
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
    sent_at > LEAST(transferred_at, supplement_asked_at, refused_at)
    OR published_at < answered_at
