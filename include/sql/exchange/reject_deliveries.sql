-- Purpose: the portal refused what was sent; the same payload is not sent again.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    rejected_hash = x.sent_hash,
    in_doubt = false,
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
