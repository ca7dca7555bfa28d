-- Purpose: free the dossier codes that this load changes, so that codes can move between dossiers within one load.
-- Grain: dossiers whose speaking record changed its code. Idempotency: believe_dossiers sets the codes right after.
-- Locks: row locks on those dossiers, under the tenant's lock.
UPDATE dossier.dossier AS believed
SET dossier_code = NULL
FROM staging.verdict AS v
INNER JOIN staging.dossier AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.outcome = 'updated'
    AND believed.tenant = :tenant
    AND believed.dossier_id = v.dossier_id
    AND believed.source_id = :source_id
    AND believed.source_key = v.source_key
    AND believed.dossier_code IS DISTINCT FROM d.dossier_code;
