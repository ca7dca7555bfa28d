-- Purpose: facts of dossiers that are no longer believed (merged into another one) disappear.
-- Grain: one row per dossier. Idempotency: a second run finds nothing to do. Locks: the rows deleted.
DELETE FROM indices.dossier_fact AS fact
WHERE fact.tenant = :tenant
    AND NOT EXISTS (
        SELECT 1
        FROM dossier.dossier AS believed
        WHERE believed.tenant = :tenant
            AND believed.dossier_id = fact.dossier_id
    )
