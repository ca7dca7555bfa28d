-- Purpose: count a try that stayed without an answer although the portal answered others; too many park the dossier.
-- Grain: one row per dossier that is still in doubt. Idempotency: none, callers count each drain once.
-- Locks: those rows in key order.
WITH doubtful AS (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = ANY(CAST(:dossier_ids AS uuid[]))
        AND x.in_doubt
        AND x.lease_until IS NULL
        AND x.parked_at IS NULL
    ORDER BY x.dossier_id
    FOR UPDATE
),
counted AS (
    UPDATE exchange.delivery AS x SET
        attempts = x.attempts + 1,
        parked_at = CASE WHEN x.attempts + 1 >= :most THEN CAST(:now AS timestamptz) END,
        parked_for = CASE WHEN x.attempts + 1 >= :most THEN CAST(:rule AS text) END,
        parked_by = CASE WHEN x.attempts + 1 >= :most THEN 'rule' END
    FROM doubtful
    WHERE x.tenant = :tenant AND x.dossier_id = doubtful.dossier_id
    RETURNING x.dossier_id, x.parked_at
)
INSERT INTO exchange.decision (tenant, dossier_id, action, reason, decided_by, decided_at)
SELECT
    :tenant,
    counted.dossier_id,
    'park',
    :rule,
    'rule',
    :now
FROM counted
WHERE counted.parked_at IS NOT NULL;
