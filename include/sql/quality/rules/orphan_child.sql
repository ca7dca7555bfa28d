-- Purpose: a child whose root (dossier, petition, …) is neither in this load nor known from an earlier one. {record} is the
--          kind's table of believed records.
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
        FROM staging.digest AS parent
        WHERE
            parent.tenant = staged.tenant
            AND parent.load_id = staged.load_id
            AND parent.source_key = staged.source_key
    )
    AND NOT EXISTS (
        SELECT
        FROM {record} AS parent
        WHERE
            parent.tenant = staged.tenant
            AND parent.source_id = staged.source_id
            AND parent.source_key = staged.source_key
    )
