-- Purpose: the applicant's name is optional on the wire but people look dossiers up by it.
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
    btrim(COALESCE(applicant_name, '')) = ''
