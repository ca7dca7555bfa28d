-- Purpose: the steps of some dossiers that are owed or doubtful. Grain: one row per step. Idempotency: reads only.
-- Locks: none.
SELECT
    s.dossier_id::text AS dossier_id,
    s.step_key,
    s.state,
    s.attempts
FROM exchange.step_delivery AS s
WHERE
    s.tenant = :tenant AND s.dossier_id = ANY(CAST(:dossier_ids AS uuid[])) AND s.state IN ('owed', 'unsettled');
