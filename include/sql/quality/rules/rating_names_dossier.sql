-- Purpose: a rating is of a dossier, named by its code or by its key in the same system.
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
    btrim(COALESCE(dossier_code, '')) = ''
    AND btrim(COALESCE(dossier_key, '')) = ''
