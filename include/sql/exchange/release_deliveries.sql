-- Purpose: give leases back: nothing of this turn is on the portal (`keep_sent`: something of an earlier call may be).
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    sent_code = CASE WHEN x.dispatched AND NOT CAST(:keep_sent AS boolean) THEN x.acked_code ELSE x.sent_code END,
    lease_until = NULL,
    dispatched = false
FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[])) AS lease (dossier_id, fence)
WHERE
    x.tenant = :tenant
    AND x.dossier_id = lease.dossier_id
    AND x.fence = lease.fence
    AND x.lease_until IS NOT NULL
RETURNING x.dossier_id::text AS dossier_id;
