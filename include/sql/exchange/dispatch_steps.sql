-- Purpose: write down which steps are about to be sent, before they are sent, and renew their dossiers' leases.
-- Grain: one row per step that is still owed and whose dossier's lease is still ours and was not
-- parked or held since.
-- Idempotency: by state and fence. Locks: those dossiers, then their steps; the caller has locked them in key order.
WITH sent AS (
    SELECT
        asked.dossier_id,
        asked.fence,
        asked.step_key,
        asked.step_hash
    FROM unnest(
        CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[]), CAST(:step_keys AS text[]), CAST(:hashes AS bytea[])
    ) AS asked (dossier_id, fence, step_key, step_hash)
),
renewed AS (
    UPDATE exchange.delivery AS x SET lease_until = :lease_until
    FROM (
        SELECT DISTINCT
            sent.dossier_id,
            sent.fence
        FROM sent
    ) AS lease
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = lease.dossier_id
        AND x.fence = lease.fence
        AND x.lease_until IS NOT NULL
        AND x.parked_at IS NULL
        AND x.hold IS NULL
    RETURNING x.dossier_id, x.fence
)
UPDATE exchange.step_delivery AS s SET
    state = 'sending',
    fence = sent.fence,
    step_hash = sent.step_hash,
    sent_at = :now
FROM sent
INNER JOIN renewed ON renewed.dossier_id = sent.dossier_id
WHERE
    s.tenant = :tenant
    AND s.dossier_id = sent.dossier_id
    AND s.step_key = sent.step_key
    AND s.state = 'owed'
RETURNING s.dossier_id::text AS dossier_id, s.step_key;
