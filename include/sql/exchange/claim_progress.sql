-- Purpose: lease acknowledged dossiers that still owe steps. Grain: one row per dossier.
-- Idempotency: each run takes other rows; fences only rise. Locks: the claimed rows, others skipped.
WITH owing AS (
    SELECT DISTINCT s.dossier_id
    FROM exchange.step_delivery AS s
    WHERE s.tenant = :tenant AND s.state = 'owed'
),
claimable AS (
    SELECT x.dossier_id
    FROM owing
    INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = owing.dossier_id
    WHERE x.tenant = :tenant AND x.state = 'acknowledged'
    ORDER BY x.dossier_id
    LIMIT :size
    FOR UPDATE OF x SKIP LOCKED
)
UPDATE exchange.delivery AS x SET
    lease_until = :lease_until,
    leased_by = :run_key,
    fence = x.fence + 1,
    dispatched = false
FROM claimable
WHERE x.tenant = :tenant AND x.dossier_id = claimable.dossier_id
RETURNING x.dossier_id::text AS dossier_id, x.fence;
