-- Purpose: lease the next acknowledged dossiers after a key whose last call without an answer is long enough ago for the
-- portal to be looked at: a late request may have overwritten what was acknowledged since.
-- Grain: one row per dossier. Idempotency: each run takes other rows; fences only rise.
-- Locks: the claimed rows, others skipped.
WITH claimable AS (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.dossier_id > CAST(:after AS uuid)
        AND x.doubted_at IS NOT NULL
        AND x.doubted_at <= :doubted_before
        AND x.state = 'acknowledged'
        AND x.mode = 'own'
    ORDER BY x.dossier_id
    LIMIT :size
    FOR UPDATE SKIP LOCKED
)
UPDATE exchange.delivery AS x SET
    lease_until = :lease_until,
    leased_by = :run_key,
    fence = x.fence + 1,
    dispatched = false
FROM claimable
WHERE x.tenant = :tenant AND x.dossier_id = claimable.dossier_id
RETURNING x.dossier_id::text AS dossier_id, x.fence;
