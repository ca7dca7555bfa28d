-- Purpose: which steps of some dossiers are owed. Grain: one row per step. Idempotency: reads only. Locks: none.
SELECT
    s.dossier_id::text AS dossier_id,
    s.step_key
FROM exchange.step_delivery AS s
WHERE s.tenant = :tenant AND s.dossier_id = ANY(CAST(:dossier_ids AS uuid[])) AND s.state = 'owed';
