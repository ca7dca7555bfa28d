-- Purpose: store the online services a source offers. Grain: one row per agency and procedure of one source.
-- Idempotency: rows that are there already stay untouched. Locks: inserts only.
INSERT INTO registry.service (tenant, source_id, agency_code, procedure_code, online_level, load_id)
SELECT
    :tenant,
    :source_id,
    i.agency_code,
    i.procedure_code,
    i.online_level,
    :load_id
FROM
    unnest(
        CAST(:agency_codes AS text []), CAST(:procedure_codes AS text []), CAST(:online_levels AS smallint [])
    ) AS i (agency_code, procedure_code, online_level)
ON CONFLICT (tenant, source_id, agency_code, procedure_code) DO NOTHING;
