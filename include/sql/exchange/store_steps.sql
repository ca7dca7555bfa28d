-- Purpose: owe the steps that are new.
-- Grain: one row per step; a step whose content another step of the dossier already
-- carried is not owed again. Idempotency: a step that was sent is never touched. Locks: rows in key order.
INSERT INTO exchange.step_delivery AS s (
    tenant,
    dossier_id,
    step_key,
    step_hash,
    occurred_at
)
SELECT DISTINCT ON (w.dossier_id, w.step_hash)
    :tenant,
    w.dossier_id,
    w.step_key,
    w.step_hash,
    w.occurred_at
FROM step_wanted AS w
WHERE NOT EXISTS (
    SELECT 1
    FROM exchange.step_delivery AS k
    WHERE
        k.tenant = :tenant
        AND k.dossier_id = w.dossier_id
        AND k.step_hash = w.step_hash
        AND k.step_key <> w.step_key
)
ORDER BY w.dossier_id, w.step_hash, length(w.step_key), w.step_key
ON CONFLICT (tenant, dossier_id, step_key) DO UPDATE SET
    step_hash = excluded.step_hash,
    occurred_at = excluded.occurred_at
WHERE s.state = 'owed' AND s.step_hash <> excluded.step_hash;
