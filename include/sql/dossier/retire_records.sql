-- Purpose: move what a load supersedes into history: the record of every updated dossier, as it was believed.
-- Grain: one history row per superseded version. Idempotency: runs once per load, inside merge's transaction.
-- Locks: none beyond the tenant's; the rows themselves are updated by apply_records afterwards.
INSERT INTO dossier.source_record_history
SELECT
    believed.*,
    :load_id
FROM staging.verdict AS v
INNER JOIN dossier.source_record AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = v.source_key
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'updated';
