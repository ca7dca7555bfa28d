-- Purpose: lease those of some dossiers that are acknowledged and whose steps can go on. While a doubtful step waits for
-- its time to be settled by itself (`settling`), the dossier's later steps wait behind it; what was tried :most_attempts
-- times is left to people and holds nothing up.
-- Grain: one row per dossier. Idempotency: each run takes other rows; fences only rise.
-- Locks: the claimed rows, others skipped.
WITH claimable AS (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = ANY(CAST(:dossier_ids AS uuid[]))
        AND x.state = 'acknowledged'
        AND NOT (
            CAST(:settling AS boolean)
            AND EXISTS (
                SELECT 1
                FROM exchange.step_delivery AS s
                WHERE
                    s.tenant = :tenant
                    AND s.dossier_id = x.dossier_id
                    AND s.state = 'unsettled'
                    AND s.attempts < :most_attempts
                    AND s.next_attempt_at > :now
            )
        )
    ORDER BY x.dossier_id
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
