-- Made by `make sql` from find_known.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: staged records that the warehouse already believes: same hash, not in doubt, came once, and they need not be
--          judged again: nothing is wrong with them, what was read is not older than they are, and the load that last
--          judged them, or a full load since, used the same rules.
--          For set_aside_known.
-- Grain: one petition. Idempotency: once per transaction. Locks: none.
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
CROSS JOIN LATERAL (
    SELECT believed.record_hash
    FROM petition.source_record AS believed
    LEFT JOIN ops.load AS own ON own.load_id = believed.load_id
    WHERE
        believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = g.source_key
        AND believed.recipe = :recipe
        AND coalesce(own.reading_no, 0) <= coalesce(CAST(:reading_no AS bigint), 0)
        AND believed.blocked_reasons = '{}'
        AND coalesce(NULL, 0) <= greatest(
            CASE WHEN own.state = 'merged' AND own.judged_rules = :judged_rules THEN own.judged_catalogue END,
            CASE WHEN whole.load_id > believed.load_id THEN whole.judged_catalogue END
        )
        AND NOT EXISTS (
            SELECT 1
            FROM quality.violation AS v
            WHERE
                v.tenant = :tenant
                AND v.source_id = :source_id
                AND v.source_key = g.source_key
                AND v.resolved_load_id IS NULL
        )
    OFFSET 0
) AS settled
WHERE
    g.tenant = :tenant
    AND g.load_id = :load_id
    AND NOT g.doubtful
    AND settled.record_hash = g.record_hash
    AND NOT EXISTS (SELECT 1 FROM twin WHERE twin.source_key = g.source_key);
