-- Purpose: the name of the handling unit is sent as DonViXuLy (portal-exchange §2.3, field 26).
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
    btrim(COALESCE(agency_name, '')) = ''
