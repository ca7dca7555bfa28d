-- Purpose: a finished dossier names a result document but no file goes with it (portal-exchange §4.8).
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
    status IN (9, 10)
    AND EXISTS (
        SELECT
        FROM staging.document AS result
        WHERE
            result.tenant = staged.tenant
            AND result.load_id = staged.load_id
            AND result.source_key = staged.source_key
            AND result.role = 'result'
            AND result.removed IS NOT TRUE
            AND result.has_file IS NOT TRUE
    )
