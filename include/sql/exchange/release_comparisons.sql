-- Purpose: give the leases of dossiers back that were not asked about.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.comparison AS c SET lease_until = NULL
FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[])) AS lease (dossier_id, fence)
WHERE
    c.tenant = :tenant
    AND c.dossier_id = lease.dossier_id
    AND c.fence = lease.fence
    AND c.lease_until IS NOT NULL;
