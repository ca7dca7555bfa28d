-- Purpose: renew the lease of one dossier before its steps are sent. Grain: one row, none when the lease is lost.
-- Idempotency: by fence. Locks: that row.
UPDATE exchange.delivery AS x SET lease_until = :lease_until
WHERE
    x.tenant = :tenant
    AND x.dossier_id = CAST(:dossier_id AS uuid)
    AND x.fence = :fence
    AND x.lease_until IS NOT NULL
RETURNING x.dossier_id::text AS dossier_id;
