-- Purpose: what is believed about some dossiers, with the applicant and the catalogue's words.
-- Personal: for payloads only.
-- blocked_reasons are the gate's, except for its two rules about the catalogue: these are judged by the catalogue of
-- now, unless the suite says that they don't block.
-- Grain: one row per dossier; column order is that of exchange.believed. Idempotency: reads only. Locks: none.
SELECT
    d.dossier_id::text AS dossier_id,
    d.source_id,
    d.source_key,
    d.version,
    d.dossier_code,
    r.dossier_code AS recorded_code,
    ARRAY(
        SELECT judged.reason
        FROM (
            SELECT gate.reason
            FROM unnest(r.blocked_reasons) AS gate (reason)
            WHERE gate.reason NOT IN ('procedure_known', 'procedure_not_retired')
            UNION
            SELECT catalogue.reason
            FROM (
                VALUES
                ('procedure_known', c.procedure_code IS NULL OR c.vanished),
                ('procedure_not_retired', NOT c.active)
            ) AS catalogue (reason, failed)
            WHERE
                catalogue.failed
                AND NOT EXISTS (
                    SELECT 1
                    FROM quality.rule AS q
                    WHERE q.entity = 'dossier' AND q.rule_id = catalogue.reason AND q.severity <> 'block'
                )
        ) AS judged
        ORDER BY judged.reason COLLATE "C"
    ) AS blocked_reasons,
    r.procedure_code,
    r.procedure_code_raw,
    r.procedure_name,
    r.agency_name,
    r.status,
    r.channel,
    r.subject_type,
    r.return_method,
    r.submitted_at,
    r.received_at,
    r.due_at,
    r.finished_at,
    r.returned_at,
    r.refused_at,
    r.has_digitised_component,
    r.vneid_verified,
    r.online_payment,
    r.database_codes,
    p.applicant_name,
    p.applicant_id_number,
    p.applicant_phone,
    p.applicant_email,
    p.abstract,
    c.name,
    c.field_code,
    c.field_name,
    c.revision
FROM dossier.dossier AS d
INNER JOIN dossier.source_record AS r
    ON r.tenant = :tenant AND r.source_id = d.source_id AND r.source_key = d.source_key
LEFT JOIN dossier.person AS p ON p.tenant = :tenant AND p.source_id = d.source_id AND p.source_key = d.source_key
LEFT JOIN registry.procedure AS c ON c.procedure_code = r.procedure_code
WHERE d.tenant = :tenant AND d.dossier_id = ANY(CAST(:dossier_ids AS uuid[]))
ORDER BY d.dossier_id;
