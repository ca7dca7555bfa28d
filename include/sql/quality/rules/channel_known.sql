-- Purpose: the portal counts a dossier without a channel as handed in directly (portal-exchange §4.2).
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
    channel IS NULL
    OR channel NOT BETWEEN 1 AND 3
