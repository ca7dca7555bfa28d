-- Purpose: set aside leased dossiers that one drain claimed again and again without an end, for people to look at.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
WITH parked AS (
    UPDATE exchange.delivery AS x SET
        parked_at = :now,
        parked_for = :rule,
        parked_by = 'rule',
        lease_until = NULL
    FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[])) AS lease (dossier_id, fence)
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = lease.dossier_id
        AND x.fence = lease.fence
        AND x.lease_until IS NOT NULL
    RETURNING x.dossier_id
)
INSERT INTO exchange.decision (tenant, dossier_id, action, reason, decided_by, decided_at)
SELECT
    :tenant,
    parked.dossier_id,
    'park',
    :rule,
    'rule',
    :now
FROM parked;
