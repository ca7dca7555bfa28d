-- Purpose: the procedure's name is sent as TenTTHC; the catalogue's is used when the source has none.
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
    btrim(COALESCE(procedure_name, '')) = ''
