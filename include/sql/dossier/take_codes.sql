-- Purpose: take the codes from the dossiers that are gone, for find_heirs' dossiers. Should such a dossier come back, it is
--          the one in dispute. What code it had stays in dossier.dossier_code_history.
-- Grain: one holder. Idempotency: once per transaction. Locks: the holders and their records, under the tenant's lock.
WITH blocked AS (
    UPDATE dossier.source_record AS r
    SET blocked_reasons = array_append(r.blocked_reasons, 'dossier_code_collision')
    FROM pg_temp.heir AS heir
    WHERE
        r.tenant = :tenant
        AND r.dossier_id = heir.holder_id
        AND r.dossier_code = heir.dossier_code
        AND NOT 'dossier_code_collision' = ANY(r.blocked_reasons)
)
UPDATE dossier.dossier AS holder
SET
    dossier_code = NULL,
    version = holder.version + 1,
    load_id = :load_id
FROM pg_temp.heir AS heir
WHERE holder.tenant = :tenant AND holder.dossier_id = heir.holder_id;
