-- Purpose: move the children of updated dossiers into history; a dossier's children are versioned with it.
-- Grain: one history row per child of a superseded version. Idempotency: run once per load in merge's transaction.
-- Locks: deletes rows of updated dossiers, under the tenant's lock.
WITH retired AS (
    DELETE FROM dossier.step AS believed
    USING staging.verdict AS v
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = v.source_key
    RETURNING believed.*
)
INSERT INTO dossier.step_history
SELECT
    retired.*,
    :load_id
FROM retired;
