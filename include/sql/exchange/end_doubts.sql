-- Purpose: what a look at the portal after a period of doubt came to: nothing wrong is seen, or something else is there
-- than what we took for acknowledged (owed again; of a dossier that is gone nobody knows
-- which steps are there), or it did not answer (looked at again later).
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
WITH looked AS (
    UPDATE exchange.delivery AS x SET
        doubted_at = CASE WHEN CAST(:later AS boolean) THEN CAST(:now AS timestamptz) END,
        acked_version = CASE WHEN NOT CAST(:owe_again AS boolean) THEN x.acked_version END,
        acked_hash = CASE WHEN NOT CAST(:owe_again AS boolean) THEN x.acked_hash END,
        acked_recipe = CASE WHEN NOT CAST(:owe_again AS boolean) THEN x.acked_recipe END,
        acked_code = CASE WHEN NOT CAST(:owe_again AS boolean) OR NOT lease.missing THEN x.acked_code END,
        acked_at = CASE WHEN NOT CAST(:owe_again AS boolean) OR NOT lease.missing THEN x.acked_at END,
        presence = CASE WHEN CAST(:owe_again AS boolean) AND lease.missing THEN 'absent' ELSE x.presence END,
        last_outcome = CASE WHEN CAST(:owe_again AS boolean) THEN 'overwritten' ELSE x.last_outcome END,
        lease_until = NULL
    FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:fences AS bigint[]), CAST(:missing AS boolean[]))
        AS lease (dossier_id, fence, missing)
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = lease.dossier_id
        AND x.fence = lease.fence
        AND x.lease_until IS NOT NULL
    RETURNING x.dossier_id, lease.missing
),
unknown AS (
    UPDATE exchange.step_delivery AS s SET
        state = 'unsettled',
        attempts = 0,
        next_attempt_at = NULL,
        last_outcome = 'missing'
    FROM looked
    WHERE
        CAST(:owe_again AS boolean)
        AND looked.missing
        AND s.tenant = :tenant
        AND s.dossier_id = looked.dossier_id
        AND s.state IN ('acknowledged', 'adopted')
)
SELECT looked.dossier_id::text AS dossier_id
FROM looked;
