-- Purpose: one page of dossiers whose delivery row no longer follows from what is believed.
-- Grain: one row per dossier, in key order, after a key. Idempotency: reads only. Locks: none.
WITH source_mode AS (
    SELECT
        source_id,
        mode
    FROM unnest(CAST(:source_ids AS text[]), CAST(:modes AS text[])) AS m (source_id, mode)
)
SELECT d.dossier_id::text AS dossier_id
FROM dossier.dossier AS d
INNER JOIN dossier.source_record AS r
    ON r.tenant = :tenant AND r.source_id = d.source_id AND r.source_key = d.source_key
LEFT JOIN source_mode ON source_mode.source_id = d.source_id
LEFT JOIN registry.procedure AS c ON c.procedure_code = r.procedure_code
LEFT JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = d.dossier_id
WHERE
    d.tenant = :tenant
    AND d.dossier_id > CAST(:after AS uuid)
    AND (
        x.dossier_id IS NULL
        OR d.version > x.derived_version
        OR x.mode <> coalesce(source_mode.mode, 'observe')
        OR x.procedure_revision IS DISTINCT FROM c.revision
        OR (x.hold IS DISTINCT FROM 'waiting' AND x.reasons <> r.blocked_reasons)
    )
ORDER BY d.dossier_id
LIMIT :page_size;
