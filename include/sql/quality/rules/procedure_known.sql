-- Purpose: the procedure must be in the national catalogue; a vanished code no longer is.
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
    NOT EXISTS (
        SELECT
        FROM registry.procedure AS listed
        WHERE listed.procedure_code = staged.procedure_code AND NOT listed.vanished
    )
