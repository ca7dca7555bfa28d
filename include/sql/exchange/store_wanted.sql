-- Purpose: raise delivery rows to what is wanted now. What was sent or acknowledged is never touched here.
-- Grain: one row per dossier. An unchanged payload keeps its wanted version, so superseded versions collapse.
-- Idempotency: a row that already says so is not written; an older reading never wins. Locks: rows in key order.
INSERT INTO exchange.delivery AS x (
    tenant,
    dossier_id,
    dossier_code,
    source_id,
    mode,
    hold,
    reasons,
    derived_version,
    procedure_revision,
    wanted_version,
    wanted_hash,
    recipe
)
SELECT
    :tenant,
    w.dossier_id,
    w.dossier_code,
    w.source_id,
    w.mode,
    w.hold,
    w.reasons,
    w.version,
    w.procedure_revision,
    w.version,
    w.wanted_hash,
    w.recipe
FROM delivery_wanted AS w
ORDER BY w.dossier_id
ON CONFLICT (tenant, dossier_id) DO UPDATE SET
    dossier_code = excluded.dossier_code,
    source_id = excluded.source_id,
    mode = excluded.mode,
    hold = excluded.hold,
    reasons = excluded.reasons,
    derived_version = excluded.derived_version,
    procedure_revision = excluded.procedure_revision,
    wanted_version = CASE
        WHEN x.recipe = excluded.recipe AND x.wanted_hash = excluded.wanted_hash THEN x.wanted_version
        WHEN x.recipe <> excluded.recipe AND excluded.derived_version = x.derived_version THEN x.wanted_version
        ELSE excluded.wanted_version
    END,
    wanted_hash = excluded.wanted_hash,
    recipe = excluded.recipe,
    presence = CASE WHEN x.dossier_code = excluded.dossier_code THEN x.presence ELSE 'unknown' END,
    taken_over_at = CASE WHEN x.dossier_code = excluded.dossier_code THEN x.taken_over_at END,
    adoption = CASE WHEN x.dossier_code = excluded.dossier_code THEN x.adoption END,
    in_doubt = x.in_doubt AND x.dossier_code IS NOT DISTINCT FROM excluded.dossier_code,
    attempts = CASE WHEN x.wanted_hash = excluded.wanted_hash THEN x.attempts ELSE 0 END,
    next_attempt_at = CASE WHEN x.wanted_hash = excluded.wanted_hash THEN x.next_attempt_at END
WHERE
    excluded.derived_version >= x.derived_version
    AND (
        x.dossier_code, x.source_id, x.mode, x.hold, x.reasons,
        x.derived_version, x.procedure_revision, x.wanted_hash, x.recipe
    ) IS DISTINCT FROM (
        excluded.dossier_code, excluded.source_id, excluded.mode, excluded.hold, excluded.reasons,
        excluded.derived_version, excluded.procedure_revision, excluded.wanted_hash, excluded.recipe
    );
