-- Purpose: nobody knows whether the portal took it: ask later.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    in_doubt = true,
    attempts = x.attempts + 1,
    next_attempt_at = :next_attempt_at,
    lease_until = NULL,
    dispatched = false,
    last_outcome = :outcome,
    last_code = :code,
    last_message = :message
FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[])) AS lease (dossier_id, fence)
WHERE
    x.tenant = :tenant
    AND x.dossier_id = lease.dossier_id
    AND x.fence = lease.fence
    AND x.lease_until IS NOT NULL
RETURNING x.dossier_id::text AS dossier_id;
