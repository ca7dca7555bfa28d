-- Made by `make sql` from apply_records.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: make the inserted and updated records of a load the believed ones; every other row stays untouched.
-- Grain: one row per source record. Idempotency: the verdicts decide; run once per load in merge's transaction.
-- Locks: row locks on the updated records, under the tenant's lock. Plain INSERT and UPDATE: the verdicts know which is
--        which, and looking for conflicts would double the cost.
WITH changed AS (
    UPDATE petition.source_record AS believed
    SET
        version = v.version,
        record_hash = v.record_hash,
        recipe = :recipe,
        blocked_reasons = v.blocked_reasons,
        observed_at = :observed_at,
        load_id = :load_id,
        petition_code = d.petition_code,
        origin_code = d.origin_code,
        classification = d.classification,
        classification_raw = d.classification_raw,
        agency_code = d.agency_code,
        agency_code_raw = d.agency_code_raw,
        agency_name = d.agency_name,
        status = d.status,
        status_raw = d.status_raw,
        sent_at = d.sent_at,
        transferred_at = d.transferred_at,
        supplement_asked_at = d.supplement_asked_at,
        answered_at = d.answered_at,
        published_at = d.published_at,
        refused_at = d.refused_at,
        due_at = d.due_at,
        likes = d.likes,
        dislikes = d.dislikes,
        complained_again = d.complained_again,
        dossier_code = d.dossier_code,
        source_modified_at = d.source_modified_at
    FROM staging.verdict AS v
    INNER JOIN staging.petition AS d
        ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = v.source_key
)
INSERT INTO petition.source_record (
    tenant,
    source_id,
    source_key,
    version,
    record_hash,
    recipe,
    blocked_reasons,
    observed_at,
    load_id,
    petition_code,
    origin_code,
    classification,
    classification_raw,
    agency_code,
    agency_code_raw,
    agency_name,
    status,
    status_raw,
    sent_at,
    transferred_at,
    supplement_asked_at,
    answered_at,
    published_at,
    refused_at,
    due_at,
    likes,
    dislikes,
    complained_again,
    dossier_code,
    source_modified_at
)
SELECT
    :tenant,
    :source_id,
    v.source_key,
    v.version,
    v.record_hash,
    :recipe,
    v.blocked_reasons,
    :observed_at,
    :load_id,
    d.petition_code,
    d.origin_code,
    d.classification,
    d.classification_raw,
    d.agency_code,
    d.agency_code_raw,
    d.agency_name,
    d.status,
    d.status_raw,
    d.sent_at,
    d.transferred_at,
    d.supplement_asked_at,
    d.answered_at,
    d.published_at,
    d.refused_at,
    d.due_at,
    d.likes,
    d.dislikes,
    d.complained_again,
    d.dossier_code,
    d.source_modified_at
FROM staging.verdict AS v
INNER JOIN staging.petition AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'inserted';
