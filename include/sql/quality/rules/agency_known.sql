-- Purpose: the handling unit must be in the agency tree, or its dossiers are counted for no unit.
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
        FROM registry.agency AS listed
        WHERE listed.tenant = staged.tenant AND listed.agency_code = staged.agency_code
    )
