-- Made by `make sql` from digest_rows.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: one hash per staged dossier over its canonical values and its children, before the gate, so that what the
--          warehouse already knows can be set aside. Recipe 2 of the record hash: two of PostgreSQL's 64-bit hashes of
--          the hashed values, typed (an instant is an instant, NULL is not ''); children enter as the sum and the XOR of
--          their own hashes, keys included, so that their order does not matter and no sort is needed. PostgreSQL keeps
--          these functions stable, because hash partitions rest on them. OFFSET 0: each row is hashed once, not once for
--          the sum and once for the XOR.
-- Grain: one row per row of staging.dossier. `doubtful`: the gate has to see it, whatever its hash says.
-- Idempotency: the caller empties the load's staging first. Locks: none.
INSERT INTO staging.digest (tenant, load_id, row_no, source_key, record_hash, doubtful)
WITH step_hash AS (
    SELECT
        c.source_key,
        hash_record_extended(ROW(
            c.child_key,
            c.step_no,
            c.status,
            c.status_raw,
            c.occurred_at,
            c.started_at,
            c.due_at,
            c.actor_title,
            c.department,
            c.actor_name,
            c.content
        ), 0) AS part,
        c.type_errors
    FROM staging.step AS c
    WHERE
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'step' AND s.row_no = c.row_no
        )
    OFFSET 0
),
step_digest AS (
    SELECT
        source_key,
        sum(part) AS low,
        bit_xor(part) AS high,
        bool_or(type_errors IS NOT NULL) AS untyped
    FROM step_hash
    GROUP BY source_key
),
document_hash AS (
    SELECT
        c.source_key,
        hash_record_extended(ROW(
            c.child_key,
            c.role,
            c.component_code,
            c.result_code,
            c.has_file,
            c.removed,
            c.digitised,
            c.reuse,
            c.from_citizen_store,
            c.name,
            c.url
        ), 0) AS part,
        c.type_errors
    FROM staging.document AS c
    WHERE
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'document' AND s.row_no = c.row_no
        )
    OFFSET 0
),
document_digest AS (
    SELECT
        source_key,
        sum(part) AS low,
        bit_xor(part) AS high,
        bool_or(type_errors IS NOT NULL) AS untyped
    FROM document_hash
    GROUP BY source_key
),
fee_hash AS (
    SELECT
        c.source_key,
        hash_record_extended(ROW(
            c.child_key,
            c.name,
            c.fee_code,
            c.kind,
            c.amount,
            c.payment_channel,
            c.paid,
            c.paid_at
        ), 0) AS part,
        c.type_errors
    FROM staging.fee AS c
    WHERE
        c.tenant = :tenant
        AND c.load_id = :load_id
        AND NOT EXISTS (
            SELECT 1
            FROM staging.superseded AS s
            WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'fee' AND s.row_no = c.row_no
        )
    OFFSET 0
),
fee_digest AS (
    SELECT
        source_key,
        sum(part) AS low,
        bit_xor(part) AS high,
        bool_or(type_errors IS NOT NULL) AS untyped
    FROM fee_hash
    GROUP BY source_key
)
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
LEFT JOIN step_digest ON step_digest.source_key = d.source_key
LEFT JOIN document_digest ON document_digest.source_key = d.source_key
LEFT JOIN fee_digest ON fee_digest.source_key = d.source_key
WHERE d.tenant = :tenant AND d.load_id = :load_id;
