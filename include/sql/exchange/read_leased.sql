-- Purpose: where leased dossiers stand after they were derived again. Grain: one row per dossier.
-- Idempotency: reads only. Locks: none.
SELECT
    x.dossier_id::text AS dossier_id,
    x.fence,
    x.due,
    x.in_doubt,
    coalesce(x.acked_code = x.dossier_code, false) AS acknowledged_before,
    coalesce(x.sent_code = x.dossier_code, false) AS sent_before,
    x.presence,
    x.attempts
FROM exchange.delivery AS x
WHERE x.tenant = :tenant AND x.dossier_id = ANY(CAST(:dossier_ids AS uuid[])) AND x.leased_by = :run_key;
