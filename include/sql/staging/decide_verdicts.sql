-- Purpose: decide what each staged dossier row is: inserted, updated, unchanged, duplicate, stale or quarantined.
-- Grain: one verdict per row of staging.dossier of the load. Record hash: recipe 1, over every canonical value that is
--        hashed and over the children in the order of their keys; instants as epoch, NULL apart from ''.
-- Idempotency: the caller deletes the load's verdicts first, in the same transaction.
-- Locks: reads only, under the tenant's lock.
INSERT INTO staging.verdict (tenant, load_id, row_no, source_key, outcome, record_hash, blocked_reasons, version)
WITH ranked AS (
    SELECT
        d.row_no,
        d.source_key,
        (r.row_no IS NOT NULL) AS rejected,
        row_number() OVER (PARTITION BY d.source_key, r.row_no IS NOT NULL ORDER BY d.row_no DESC) AS recency
    FROM staging.dossier AS d
    LEFT JOIN quality.load_rejected AS r
        ON r.tenant = :tenant AND r.load_id = :load_id AND r.row_no = d.row_no
    WHERE d.tenant = :tenant AND d.load_id = :load_id
),
step_last AS (
    SELECT DISTINCT ON (c.source_key, c.child_key)
        c.source_key,
        c.child_key,
        ops.hash_part(ops.hash_part(c.step_no::text)
        || ops.hash_part(c.status::text)
        || ops.hash_part(c.status_raw)
        || ops.hash_part((extract(EPOCH FROM c.occurred_at) * 1000000)::bigint::text)
        || ops.hash_part((extract(EPOCH FROM c.started_at) * 1000000)::bigint::text)
        || ops.hash_part((extract(EPOCH FROM c.due_at) * 1000000)::bigint::text)
        || ops.hash_part(c.actor_title)
        || ops.hash_part(c.department)
        || ops.hash_part(c.actor_name)
        || ops.hash_part(c.content)
        ) AS part
    FROM staging.step AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    ORDER BY c.source_key, c.child_key, c.row_no DESC
),
step_digest AS (
    SELECT
        source_key,
        md5(string_agg(ops.hash_part(child_key) || part, '' ORDER BY child_key)) AS digest
    FROM step_last
    GROUP BY source_key
),
document_last AS (
    SELECT DISTINCT ON (c.source_key, c.child_key)
        c.source_key,
        c.child_key,
        ops.hash_part(ops.hash_part(c.role)
        || ops.hash_part(c.component_code)
        || ops.hash_part(c.result_code)
        || ops.hash_part(CASE c.has_file WHEN true THEN '1' WHEN false THEN '0' END)
        || ops.hash_part(CASE c.removed WHEN true THEN '1' WHEN false THEN '0' END)
        || ops.hash_part(CASE c.digitised WHEN true THEN '1' WHEN false THEN '0' END)
        || ops.hash_part(c.reuse::text)
        || ops.hash_part(CASE c.from_citizen_store WHEN true THEN '1' WHEN false THEN '0' END)
        || ops.hash_part(c.name)
        || ops.hash_part(c.url)
        ) AS part
    FROM staging.document AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    ORDER BY c.source_key, c.child_key, c.row_no DESC
),
document_digest AS (
    SELECT
        source_key,
        md5(string_agg(ops.hash_part(child_key) || part, '' ORDER BY child_key)) AS digest
    FROM document_last
    GROUP BY source_key
),
fee_last AS (
    SELECT DISTINCT ON (c.source_key, c.child_key)
        c.source_key,
        c.child_key,
        ops.hash_part(ops.hash_part(c.name)
        || ops.hash_part(c.fee_code)
        || ops.hash_part(c.kind)
        || ops.hash_part(c.amount::text)
        || ops.hash_part(c.payment_channel::text)
        || ops.hash_part(CASE c.paid WHEN true THEN '1' WHEN false THEN '0' END)
        || ops.hash_part((extract(EPOCH FROM c.paid_at) * 1000000)::bigint::text)
        ) AS part
    FROM staging.fee AS c
    WHERE c.tenant = :tenant AND c.load_id = :load_id
    ORDER BY c.source_key, c.child_key, c.row_no DESC
),
fee_digest AS (
    SELECT
        source_key,
        md5(string_agg(ops.hash_part(child_key) || part, '' ORDER BY child_key)) AS digest
    FROM fee_last
    GROUP BY source_key
),
hashed AS (
    SELECT
        d.row_no,
        sha256(convert_to(
            ops.hash_part(d.dossier_code)
            || ops.hash_part(d.reference_code)
            || ops.hash_part(d.procedure_code)
            || ops.hash_part(d.procedure_code_raw)
            || ops.hash_part(d.procedure_name)
            || ops.hash_part(d.agency_code)
            || ops.hash_part(d.agency_code_raw)
            || ops.hash_part(d.agency_name)
            || ops.hash_part(d.status::text)
            || ops.hash_part(d.status_raw)
            || ops.hash_part(d.channel::text)
            || ops.hash_part(d.subject_type::text)
            || ops.hash_part(d.return_method::text)
            || ops.hash_part((extract(EPOCH FROM d.submitted_at) * 1000000)::bigint::text)
            || ops.hash_part((extract(EPOCH FROM d.received_at) * 1000000)::bigint::text)
            || ops.hash_part((extract(EPOCH FROM d.due_at) * 1000000)::bigint::text)
            || ops.hash_part((extract(EPOCH FROM d.finished_at) * 1000000)::bigint::text)
            || ops.hash_part((extract(EPOCH FROM d.returned_at) * 1000000)::bigint::text)
            || ops.hash_part((extract(EPOCH FROM d.refused_at) * 1000000)::bigint::text)
            || ops.hash_part(CASE d.has_digitised_component WHEN true THEN '1' WHEN false THEN '0' END)
            || ops.hash_part(CASE d.vneid_verified WHEN true THEN '1' WHEN false THEN '0' END)
            || ops.hash_part(d.online_payment::text)
            || ops.hash_part(array_to_string(d.database_codes, E'\x1d', '-'))
            || ops.hash_part(d.applicant_name)
            || ops.hash_part(d.applicant_id_number)
            || ops.hash_part(d.applicant_phone)
            || ops.hash_part(d.applicant_email)
            || ops.hash_part(d.applicant_address)
            || ops.hash_part(d.abstract)
            || ops.hash_part(step_digest.digest)
            || ops.hash_part(document_digest.digest)
            || ops.hash_part(fee_digest.digest),
            'UTF8'
        )) AS record_hash
    FROM staging.dossier AS d
    LEFT JOIN step_digest ON step_digest.source_key = d.source_key
    LEFT JOIN document_digest ON document_digest.source_key = d.source_key
    LEFT JOIN fee_digest ON fee_digest.source_key = d.source_key
    WHERE d.tenant = :tenant AND d.load_id = :load_id
)
SELECT
    :tenant,
    :load_id,
    ranked.row_no,
    ranked.source_key,
    CASE
        WHEN ranked.rejected THEN 'quarantined'
        WHEN ranked.recency > 1 THEN 'duplicate'
        WHEN believed.source_key IS NULL THEN 'inserted'
        WHEN believed.observed_at > :observed_at THEN 'stale'
        WHEN
            believed.recipe = :recipe
            AND believed.record_hash = hashed.record_hash
            AND array_remove(believed.blocked_reasons, 'dossier_code_collision') = coalesce(blocked.reasons, '{}')
            THEN 'unchanged'
        ELSE 'updated'
    END,
    hashed.record_hash,
    coalesce(blocked.reasons, '{}'),
    coalesce(believed.version, 0) + 1
FROM ranked
INNER JOIN hashed ON hashed.row_no = ranked.row_no
LEFT JOIN quality.load_blocked AS blocked
    ON blocked.tenant = :tenant AND blocked.load_id = :load_id AND blocked.row_no = ranked.row_no
LEFT JOIN dossier.source_record AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = ranked.source_key;
