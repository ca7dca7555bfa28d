-- Purpose: dossiers that were refused a code which is free by now: nobody holds it, or the dossier that does is gone from
--          its source (dossier.is_gone). Of several the oldest dossier gets it. For give_codes.
-- Grain: one code. Cost: a partial index holds the disputed records, which are few. Idempotency: once per transaction.
-- Locks: none.
CREATE TEMPORARY TABLE heir ON COMMIT DROP AS
WITH claimant AS (
    SELECT DISTINCT ON (r.dossier_code)
        r.dossier_code,
        r.source_id,
        r.source_key,
        r.dossier_id
    FROM dossier.source_record AS r
    INNER JOIN dossier.dossier AS d
        ON
            d.tenant = :tenant
            AND d.dossier_id = r.dossier_id
            AND d.source_id = r.source_id
            AND d.source_key = r.source_key
    WHERE
        r.tenant = :tenant
        AND 'dossier_code_collision' = ANY(r.blocked_reasons)
        AND r.dossier_code IS NOT NULL
        AND d.dossier_code IS NULL
        AND NOT dossier.is_gone(:tenant, r.source_id, r.source_key, r.status, r.status_raw)
    ORDER BY r.dossier_code, d.opened_load_id, length(r.source_key), r.source_key
)
SELECT
    claimant.*,
    holder.dossier_id AS holder_id
FROM claimant
LEFT JOIN dossier.dossier AS holder ON holder.tenant = :tenant AND holder.dossier_code = claimant.dossier_code
WHERE
    holder.dossier_id IS NULL
    OR NOT EXISTS (
        SELECT 1
        FROM dossier.source_record AS alive
        WHERE
            alive.tenant = :tenant
            AND alive.dossier_id = holder.dossier_id
            AND NOT dossier.is_gone(:tenant, alive.source_id, alive.source_key, alive.status, alive.status_raw)
    );
