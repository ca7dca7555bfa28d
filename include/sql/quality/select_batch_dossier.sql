-- Purpose: the rows of one load that the gate looks at, as Great Expectations' batch.
-- Grain: one staged dossier; child_key is added so that rules serve dossiers and children alike.
-- Idempotency: reads only. Locks: none.
SELECT
    *,
    NULL::text AS child_key
FROM staging.dossier
WHERE tenant = :tenant AND load_id = :load_id
