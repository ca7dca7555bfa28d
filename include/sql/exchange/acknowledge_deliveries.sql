-- Purpose: the portal took what was sent.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    acked_version = x.sent_version,
    acked_hash = x.sent_hash,
    acked_recipe = x.sent_recipe,
    acked_code = x.sent_code,
    acked_at = :now,
    presence = 'present',
    in_doubt = false,
    rejected_hash = NULL,
    attempts = 0,
    next_attempt_at = NULL,
    lease_until = NULL,
    dispatched = false,
    last_outcome = lease.outcome,
    last_code = lease.code,
    last_message = lease.message
FROM unnest(
    CAST(:dossier_ids AS uuid[]),
    CAST(:fences AS bigint[]),
    CAST(:outcomes AS text[]),
    CAST(:codes AS text[]),
    CAST(:messages AS text[])
) AS lease (dossier_id, fence, outcome, code, message)
WHERE
    x.tenant = :tenant
    AND x.dossier_id = lease.dossier_id
    AND x.fence = lease.fence
    AND x.lease_until IS NOT NULL
RETURNING x.dossier_id::text AS dossier_id;
