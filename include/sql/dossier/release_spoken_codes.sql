-- Purpose: free the codes of dossiers that get another speaker with another code: two may exchange theirs.
-- Grain: one dossier of choose_speakers. Idempotency: apply_speakers sets the codes right after.
-- Locks: row locks on those dossiers, under the tenant's lock.
UPDATE dossier.dossier AS believed
SET dossier_code = NULL
FROM pg_temp.respoken AS respoken
WHERE
    believed.tenant = :tenant
    AND believed.dossier_id = respoken.dossier_id
    AND believed.dossier_code IS DISTINCT FROM respoken.dossier_code;
