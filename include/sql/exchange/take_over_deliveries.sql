-- Purpose: the portal holds dossiers that we never sent, so another program did: steps up to now may be there already
-- and are not sent by themselves; store_steps keeps to it for steps of that time that become known later.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
WITH taken AS (
    UPDATE exchange.delivery AS x SET
        presence = 'present',
        in_doubt = false,
        taken_over_at = :now
    FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[])) AS lease (dossier_id, fence)
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = lease.dossier_id
        AND x.fence = lease.fence
        AND x.lease_until IS NOT NULL
    RETURNING x.dossier_id
),
unsettled AS (
    UPDATE exchange.step_delivery AS s SET
        state = 'unsettled',
        last_outcome = 'exists'
    FROM taken
    WHERE
        s.tenant = :tenant
        AND s.dossier_id = taken.dossier_id
        AND s.state = 'owed'
        AND s.occurred_at <= :now
)
SELECT taken.dossier_id::text AS dossier_id
FROM taken;
