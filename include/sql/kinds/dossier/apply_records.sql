-- Made by `make sql` from apply_records.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: make the inserted and updated records of a load the believed ones; every other row stays untouched.
-- Grain: one row per source record. Idempotency: the verdicts decide; run once per load in merge's transaction.
-- Locks: row locks on the updated records, under the tenant's lock. Plain INSERT and UPDATE: the verdicts know which is
--        which, and looking for conflicts would double the cost.
WITH changed AS (
    UPDATE dossier.source_record AS believed
    SET
        version = v.version,
        record_hash = v.record_hash,
        recipe = :recipe,
        blocked_reasons = v.blocked_reasons,
        observed_at = :observed_at,
        load_id = :load_id,
        dossier_code = d.dossier_code,
        reference_code = d.reference_code,
        procedure_code = d.procedure_code,
        procedure_code_raw = d.procedure_code_raw,
        procedure_name = d.procedure_name,
        agency_code = d.agency_code,
        agency_code_raw = d.agency_code_raw,
        agency_name = d.agency_name,
        status = d.status,
        status_raw = d.status_raw,
        channel = d.channel,
        subject_type = d.subject_type,
        return_method = d.return_method,
        submitted_at = d.submitted_at,
        received_at = d.received_at,
        due_at = d.due_at,
        finished_at = d.finished_at,
        returned_at = d.returned_at,
        refused_at = d.refused_at,
        has_digitised_component = d.has_digitised_component,
        vneid_verified = d.vneid_verified,
        online_payment = d.online_payment,
        database_codes = d.database_codes,
        source_modified_at = d.source_modified_at
    FROM staging.verdict AS v
    INNER JOIN staging.dossier AS d
        ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = v.source_key
)
INSERT INTO dossier.source_record (
    tenant,
    source_id,
    source_key,
    dossier_id,
    version,
    record_hash,
    recipe,
    blocked_reasons,
    observed_at,
    load_id,
    dossier_code,
    reference_code,
    procedure_code,
    procedure_code_raw,
    procedure_name,
    agency_code,
    agency_code_raw,
    agency_name,
    status,
    status_raw,
    channel,
    subject_type,
    return_method,
    submitted_at,
    received_at,
    due_at,
    finished_at,
    returned_at,
    refused_at,
    has_digitised_component,
    vneid_verified,
    online_payment,
    database_codes,
    source_modified_at
)
SELECT
    :tenant,
    :source_id,
    v.source_key,
    v.dossier_id,
    v.version,
    v.record_hash,
    :recipe,
    v.blocked_reasons,
    :observed_at,
    :load_id,
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
    d.source_modified_at
FROM staging.verdict AS v
INNER JOIN staging.dossier AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'inserted';
