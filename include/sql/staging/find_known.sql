-- Purpose: staged dossiers that the warehouse already believes: same hash, not in doubt, came once, and their record need
--          not be judged again. For set_aside_known.
-- Grain: one dossier. Idempotency: once per transaction. Locks: none.
CREATE TEMPORARY TABLE known ON COMMIT DROP AS
WITH twin AS (
    SELECT g.source_key
    FROM staging.digest AS g
    WHERE g.tenant = :tenant AND g.load_id = :load_id
    GROUP BY g.source_key
    HAVING count(*) > 1
)
SELECT g.source_key
FROM staging.digest AS g
CROSS JOIN ops.judged_whole(:tenant, :source_id, :judged_rules) AS whole
CROSS JOIN LATERAL dossier.settled(
    :tenant,
    :source_id,
    g.source_key,
    CAST(:reading_no AS bigint),
    :recipe,
    :judged_rules,
    whole.load_id,
    whole.judged_catalogue
) AS settled
WHERE
    g.tenant = :tenant
    AND g.load_id = :load_id
    AND NOT g.doubtful
    AND settled.record_hash = g.record_hash
    AND NOT EXISTS (SELECT 1 FROM twin WHERE twin.source_key = g.source_key);
