-- Purpose: the procedure must still be in force in the national catalogue.
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
        FROM registry.procedure AS listed
        WHERE listed.procedure_code = staged.procedure_code AND NOT listed.active
    )
