-- Purpose: give find_heirs' dossiers their codes; nothing blocks them any more but what the gate found.
-- Grain: one dossier. Idempotency: once per transaction. Locks: the dossiers and their records, under the tenant's lock.
WITH freed AS (
    UPDATE dossier.source_record AS r
    SET blocked_reasons = array_remove(r.blocked_reasons, 'dossier_code_collision')
    FROM pg_temp.heir AS heir
    WHERE r.tenant = :tenant AND r.source_id = heir.source_id AND r.source_key = heir.source_key
)
UPDATE dossier.dossier AS believed
SET
    dossier_code = heir.dossier_code,
    version = believed.version + 1,
    load_id = :load_id
FROM pg_temp.heir AS heir
WHERE believed.tenant = :tenant AND believed.dossier_id = heir.dossier_id;
