-- Purpose: put on the work list what no longer follows from what is believed: dossiers of newer merges, of procedures
-- that the catalogue changed, listed or dropped since, and, only when a mode changed, of sources in another mode and of
-- procedures that a ministry sends itself (key `procedure:<code>` of the modes).
-- Grain: one row per dossier. Idempotency: yes. Locks: inserts only; the caller holds derive_state.
INSERT INTO exchange.stale (tenant, dossier_id)
SELECT
    :tenant,
    d.dossier_id
FROM ops.load AS l
INNER JOIN dossier.dossier AS d ON d.tenant = :tenant AND d.load_id = l.load_id
LEFT JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = d.dossier_id
WHERE
    l.tenant = :tenant
    AND l.merge_no > :merge_no
    AND (x.dossier_id IS NULL OR d.version > x.derived_version)
UNION
SELECT
    :tenant,
    d.dossier_id
FROM registry.procedure AS c
INNER JOIN dossier.source_record AS r ON r.tenant = :tenant AND r.procedure_code = c.procedure_code
INNER JOIN dossier.dossier AS d
    ON
        d.tenant = :tenant
        AND d.dossier_id = r.dossier_id
        AND d.source_id = r.source_id
        AND d.source_key = r.source_key
INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = d.dossier_id
WHERE c.revision > :revision AND x.procedure_revision IS DISTINCT FROM c.revision
UNION
SELECT
    :tenant,
    x.dossier_id
FROM exchange.delivery AS x
LEFT JOIN jsonb_each_text(CAST(:modes AS jsonb)) AS source (source_id, mode) ON source.source_id = x.source_id
WHERE
    CAST(:modes_changed AS boolean)
    AND x.tenant = :tenant
    AND x.mode <> coalesce(source.mode, 'observe')
UNION
SELECT
    :tenant,
    x.dossier_id
FROM jsonb_each_text(CAST(:modes AS jsonb)) AS covered (name, source_id)
INNER JOIN dossier.source_record AS r
    ON r.tenant = :tenant AND covered.name = 'procedure:' || r.procedure_code
INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = r.dossier_id
WHERE
    CAST(:modes_changed AS boolean)
    AND x.mode <> 'observe'
ON CONFLICT (tenant, dossier_id) DO NOTHING;
