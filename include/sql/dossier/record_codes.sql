-- Purpose: the history of dossier codes: every code a dossier ever carried, with the load that brought it.
-- Grain: one row per dossier and load that gave it a code it did not have last. Idempotency: on conflict nothing.
-- Locks: inserts only.
INSERT INTO dossier.dossier_code_history (tenant, dossier_id, dossier_code, load_id)
SELECT
    :tenant,
    d.dossier_id,
    d.dossier_code,
    :load_id
FROM dossier.dossier AS d
LEFT JOIN LATERAL (
    SELECT h.dossier_code
    FROM dossier.dossier_code_history AS h
    WHERE h.tenant = :tenant AND h.dossier_id = d.dossier_id
    ORDER BY h.load_id DESC
    LIMIT 1
) AS latest ON true
WHERE
    d.tenant = :tenant
    AND d.load_id = :load_id
    AND d.dossier_code IS NOT NULL
    AND d.dossier_code IS DISTINCT FROM latest.dossier_code
ON CONFLICT DO NOTHING;
