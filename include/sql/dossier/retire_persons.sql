-- Purpose: keep the applicant's data of every superseded version with that version.
-- Grain: one history row per superseded version. Idempotency: runs once per load, inside merge's transaction.
-- Locks: none beyond the tenant's.
INSERT INTO dossier.person_history
SELECT
    believed.*,
    :load_id
FROM staging.verdict AS v
INNER JOIN dossier.person AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = v.source_key
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'updated';
