-- Purpose: a rating more than a day after the data was read has not been given yet.
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
    EXISTS (
        SELECT
        FROM ops.load AS reading
        WHERE
            reading.tenant = staged.tenant
            AND reading.load_id = staged.load_id
            AND staged.rated_at
            > COALESCE(reading.observed_at, reading.opened_at) + INTERVAL '1 day'
    )
