-- Purpose: nobody knows whether the portal took it: ask again after a delay. What the try counts for is decided
-- when the drain ends (count_doubts). An update may still arrive late and overwrite a newer version: its moment is kept.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.delivery AS x SET
    in_doubt = true,
    doubted_at = CASE
        WHEN x.dispatched AND (x.presence = 'present' OR x.acked_code = x.sent_code) THEN CAST(:now AS timestamptz)
        ELSE x.doubted_at
    END,
    next_attempt_at = CAST(:now AS timestamptz) + lease.delay_s * interval '1 second',
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
    CAST(:messages AS text[]),
    CAST(:delays_s AS double precision[])
) AS lease (dossier_id, fence, outcome, code, message, delay_s)
WHERE
    x.tenant = :tenant
    AND x.dossier_id = lease.dossier_id
    AND x.fence = lease.fence
    AND x.lease_until IS NOT NULL
RETURNING x.dossier_id::text AS dossier_id;
