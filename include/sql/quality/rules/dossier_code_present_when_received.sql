-- Purpose: a dossier that was received must have its MaHoSo (portal-exchange §4.6).
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
    (status NOT IN (1, 3, 7) OR received_at IS NOT NULL)
    AND btrim(COALESCE(dossier_code, '')) = ''
