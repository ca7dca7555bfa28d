-- Purpose: owe the steps that are new, and those the portal refused before they were corrected.
-- Grain: one row per step; a step whose content another step of the dossier already
-- carried is not owed again. A step from before we took the dossier over may be on the portal already: unsettled, or
-- adopted with its dossier. While an adopted dossier is as it was adopted, its steps of that time need no rows at all.
-- Idempotency: a step that may have arrived is never touched. Locks: rows in key order, under their dossier's row.
INSERT INTO exchange.step_delivery AS s (
    tenant,
    dossier_id,
    step_key,
    step_hash,
    occurred_at,
    state
)
SELECT DISTINCT ON (w.dossier_id, w.step_hash)
    :tenant,
    w.dossier_id,
    w.step_key,
    w.step_hash,
    w.occurred_at,
    CASE
        WHEN w.occurred_at > coalesce(x.taken_over_at, '-infinity') THEN 'owed'
        WHEN x.adoption IN ('verified', 'assumed') THEN 'adopted'
        ELSE 'unsettled'
    END
FROM step_wanted AS w
INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = w.dossier_id
WHERE
    NOT EXISTS (
        SELECT 1
        FROM exchange.step_delivery AS k
        WHERE
            k.tenant = :tenant
            AND k.dossier_id = w.dossier_id
            AND k.step_hash = w.step_hash
            AND k.step_key <> w.step_key
    )
    AND NOT coalesce(
        x.adoption IN ('verified', 'assumed')
        AND w.occurred_at <= x.taken_over_at
        AND x.derived_version <= x.adopted_version,
        FALSE
    )
ORDER BY w.dossier_id, w.step_hash, length(w.step_key), w.step_key
ON CONFLICT (tenant, dossier_id, step_key) DO UPDATE SET
    step_hash = excluded.step_hash,
    occurred_at = excluded.occurred_at,
    state = 'owed'
WHERE s.state IN ('owed', 'rejected') AND s.step_hash <> excluded.step_hash;
