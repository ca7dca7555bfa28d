-- Purpose: renew the lease and write down what is about to be sent, before it is sent.
-- Grain: one row per dossier, only where the lease is still ours and nothing was parked or held since. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    lease_until = :lease_until,
    dispatched = true,
    sent_version = lease.version,
    sent_hash = lease.sent_hash,
    sent_recipe = :recipe,
    sent_code = lease.dossier_code,
    sent_at = :now
FROM unnest(
    CAST(:dossier_ids AS uuid[]),
    CAST(:fences AS bigint[]),
    CAST(:versions AS bigint[]),
    CAST(:hashes AS bytea[]),
    CAST(:dossier_codes AS text[])
) AS lease (dossier_id, fence, version, sent_hash, dossier_code)
WHERE
    x.tenant = :tenant
    AND x.dossier_id = lease.dossier_id
    AND x.fence = lease.fence
    AND x.lease_until IS NOT NULL
    AND x.parked_at IS NULL
    AND x.hold IS NULL
RETURNING x.dossier_id::text AS dossier_id;
