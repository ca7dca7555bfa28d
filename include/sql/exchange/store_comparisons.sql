-- Purpose: keep what the portal showed of some dossiers, and end their leases. A procedure that the catalogue no longer
-- has in force makes the kind `retired`.
-- Grain: one row per dossier, only where the lease is still ours. Idempotency: by fence. Locks: those rows.
UPDATE exchange.comparison AS c SET
    dossier_code = :dossier_code,
    wanted_hash = :wanted_hash,
    recipe = :recipe,
    verdict = :verdict,
    kinds = CASE
        WHEN EXISTS (
            SELECT 1
            FROM registry.procedure AS p
            WHERE p.procedure_code = CAST(:portal_procedure AS text) AND (p.vanished OR NOT p.active)
        ) THEN CAST(:kinds AS text[]) || CAST('{retired}' AS text[])
        ELSE CAST(:kinds AS text[])
    END,
    fields = CAST(:fields AS text[]),
    seen = CAST(:seen AS jsonb),
    asked_at = :asked_at,
    lease_until = NULL
WHERE
    c.tenant = :tenant
    AND c.dossier_id = CAST(:dossier_id AS uuid)
    AND c.fence = :fence
    AND c.lease_until IS NOT NULL;
