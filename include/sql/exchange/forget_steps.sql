-- Purpose: forget owed steps that nobody believes any more (a doubtful one that was to be sent again).
-- Grain: one row per step. Idempotency: yes. Locks: those rows; the caller holds the dossiers' leases.
DELETE FROM exchange.step_delivery AS s
USING unnest(CAST(:dossier_ids AS uuid[]), CAST(:step_keys AS text[])) AS gone (dossier_id, step_key)
WHERE s.tenant = :tenant AND s.dossier_id = gone.dossier_id AND s.step_key = gone.step_key AND s.state = 'owed';
