-- Purpose: values that could not be read as their type (a date that is no date) are listed in type_errors.
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
    cardinality(type_errors) > 0
