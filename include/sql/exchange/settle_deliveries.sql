-- Purpose: record what the portal said about a dossier that was in doubt.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    presence = lease.presence,
    in_doubt = false,
    last_outcome = 'ok',
    last_code = NULL,
    last_message = NULL
FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[]), CAST(:presences AS text[]))
    AS lease (dossier_id, fence, presence)
WHERE
    x.tenant = :tenant
    AND x.dossier_id = lease.dossier_id
    AND x.fence = lease.fence
    AND x.lease_until IS NOT NULL
RETURNING x.dossier_id::text AS dossier_id;
