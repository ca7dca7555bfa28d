-- Purpose: where leased dossiers stand, whatever their leases say. Grain: one row per dossier.
-- Idempotency: reads only. Locks: none.
SELECT
    x.dossier_id::text AS dossier_id,
    x.fence,
    exchange.delivery_state(
        x.hold, x.in_doubt, x.dossier_code, x.recipe, x.wanted_version, x.wanted_hash,
        x.acked_code, x.acked_recipe, x.acked_version, x.acked_hash, x.rejected_hash
    ) AS standing,
    x.parked_at IS NOT NULL AS parked,
    x.in_doubt,
    coalesce(x.acked_code = x.dossier_code, false) AS acknowledged_before,
    coalesce(x.sent_code = x.dossier_code, false) AS sent_before,
    x.presence,
    x.attempts,
    x.dossier_code,
    x.source_id,
    x.mode,
    x.hold,
    x.reasons,
    x.derived_version,
    x.procedure_revision,
    x.wanted_hash,
    x.recipe
FROM exchange.delivery AS x
WHERE x.tenant = :tenant AND x.dossier_id = ANY(CAST(:dossier_ids AS uuid[])) AND x.leased_by = :run_key;
