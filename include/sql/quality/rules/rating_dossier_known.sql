-- Purpose: a dossier code that no believed dossier of the tenant has: a rating of a dossier that is not there.
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
    btrim(dossier_code) <> ''
    AND NOT EXISTS (
        SELECT
        FROM dossier.dossier AS rated
        WHERE rated.tenant = staged.tenant AND rated.dossier_code = staged.dossier_code
    )
