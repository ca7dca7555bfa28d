-- Purpose: lease the next dossiers after a key that are owed, unsettled, or left behind by a drain that died.
-- Grain: one row per dossier. A lease that ran out after sending leaves the dossier in doubt; of an update that may
-- still arrive late and overwrite a newer version, the moment is kept (doubted_at).
-- Idempotency: each run takes other rows; fences only rise. Locks: the claimed rows, others skipped.
WITH claimable AS (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.dossier_id > CAST(:after AS uuid)
        AND x.state IN ('owed', 'unsettled', 'sending')
        AND exchange.is_claimable(x.state, x.mode, x.next_attempt_at, x.lease_until, :now)
    ORDER BY x.dossier_id
    LIMIT :size
    FOR UPDATE SKIP LOCKED
)
UPDATE exchange.delivery AS x SET
    lease_until = :lease_until,
    leased_by = :run_key,
    fence = x.fence + 1,
    in_doubt = x.in_doubt OR x.dispatched,
    doubted_at = CASE
        WHEN x.dispatched AND (x.presence = 'present' OR x.acked_code = x.sent_code) THEN x.sent_at
        ELSE x.doubted_at
    END,
    dispatched = false
FROM claimable
WHERE x.tenant = :tenant AND x.dossier_id = claimable.dossier_id
RETURNING x.dossier_id::text AS dossier_id, x.fence;
