-- Purpose: whether a push of the tenant would find anything to do: merges, catalogue changes or modes of sources that
--          nothing was derived from, dossiers still to be derived, deliveries or steps that may be sent now, doubtful steps
--          that settle by themselves, periods of doubt to be looked at, leases that ran out.
-- Grain: one tenant; false for one of which no load was merged yet. Cost: one look at each partial index.
-- Idempotency: reads only. Locks: none.
SELECT
    coalesce(s.merge_no, 0) < t.merges
    OR coalesce(s.revision < (SELECT max(p.revision) FROM registry.procedure AS p), false)
    OR coalesce(s.modes <> CAST(:modes AS jsonb), false)
    OR EXISTS (SELECT 1 FROM exchange.stale AS x WHERE x.tenant = :tenant)
    OR EXISTS (
        SELECT 1
        FROM exchange.delivery AS x
        WHERE
            x.tenant = :tenant
            AND x.state IN ('owed', 'unsettled', 'sending')
            AND exchange.is_claimable(x.state, x.mode, x.next_attempt_at, x.lease_until, :now)
    )
    OR EXISTS (
        SELECT 1
        FROM exchange.step_delivery AS step
        INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = step.dossier_id
        WHERE
            step.tenant = :tenant
            AND (
                step.state = 'owed'
                OR (
                    step.state = 'unsettled'
                    AND CAST(:settling AS boolean)
                    AND step.attempts < :most_attempts
                    AND coalesce(step.next_attempt_at <= :now, true)
                )
            )
            AND x.state = 'acknowledged'
    )
    OR EXISTS (
        SELECT 1
        FROM exchange.delivery AS x
        WHERE
            x.tenant = :tenant
            AND x.doubted_at IS NOT NULL
            AND x.doubted_at <= :doubted_before
            AND x.state = 'acknowledged'
            AND x.mode = 'own'
    ) AS owing
FROM ops.tenant AS t
LEFT JOIN exchange.derive_state AS s ON s.tenant = :tenant
WHERE t.tenant = :tenant;
