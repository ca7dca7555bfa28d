-- Purpose: a petition ends in a refusal or in an answer (index-766 §5 gives each a term of its own).
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
    refused_at IS NOT NULL
    AND answered_at IS NOT NULL
