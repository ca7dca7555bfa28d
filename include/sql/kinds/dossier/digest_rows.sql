-- Made by `make sql` from digest_rows.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: one hash per staged dossier over its canonical values and its children, before the gate, so that what the
--          warehouse already knows can be set aside. Recipe 2 of the record hash: two of PostgreSQL's 64-bit hashes of
--          the hashed values, typed (an instant is an instant, NULL is not ''); children enter by what their
--          digest_… statements found. PostgreSQL keeps these functions stable, because hash partitions rest on them.
-- Grain: one row per row of staging.dossier. `doubtful`: the gate has to see it, whatever its hash says.
-- Idempotency: the caller empties the load's staging first. Locks: none.
INSERT INTO staging.digest (tenant, load_id, row_no, source_key, record_hash, doubtful)
SELECT
    :tenant,
    :load_id,
    d.row_no,
    d.source_key,
    int8send(hash_record_extended(ROW(
        d.dossier_code,
        d.reference_code,
        d.procedure_code,
        d.procedure_code_raw,
        d.procedure_name,
        d.agency_code,
        d.agency_code_raw,
        d.agency_name,
        d.status,
        d.status_raw,
        d.channel,
        d.subject_type,
        d.return_method,
        d.submitted_at,
        d.received_at,
        d.due_at,
        d.finished_at,
        d.returned_at,
        d.refused_at,
        d.has_digitised_component,
        d.vneid_verified,
        d.online_payment,
        d.database_codes,
        d.applicant_name,
        d.applicant_id_number,
        d.applicant_phone,
        d.applicant_email,
        d.applicant_address,
        d.abstract,
        step_digest.low,
        document_digest.low,
        fee_digest.low
    ), 0))
    || int8send(hash_record_extended(ROW(
        d.dossier_code,
        d.reference_code,
        d.procedure_code,
        d.procedure_code_raw,
        d.procedure_name,
        d.agency_code,
        d.agency_code_raw,
        d.agency_name,
        d.status,
        d.status_raw,
        d.channel,
        d.subject_type,
        d.return_method,
        d.submitted_at,
        d.received_at,
        d.due_at,
        d.finished_at,
        d.returned_at,
        d.refused_at,
        d.has_digitised_component,
        d.vneid_verified,
        d.online_payment,
        d.database_codes,
        d.applicant_name,
        d.applicant_id_number,
        d.applicant_phone,
        d.applicant_email,
        d.applicant_address,
        d.abstract,
        step_digest.high,
        document_digest.high,
        fee_digest.high
    ), 1)),
    d.type_errors IS NOT NULL
    OR coalesce(d.was_not_nfc, false)
    OR coalesce(step_digest.untyped, false)
    OR coalesce(document_digest.untyped, false)
    OR coalesce(fee_digest.untyped, false)
FROM staging.dossier AS d
LEFT JOIN pg_temp.step_digest AS step_digest ON step_digest.source_key = d.source_key
LEFT JOIN pg_temp.document_digest AS document_digest ON document_digest.source_key = d.source_key
LEFT JOIN pg_temp.fee_digest AS fee_digest ON fee_digest.source_key = d.source_key
WHERE d.tenant = :tenant AND d.load_id = :load_id;
