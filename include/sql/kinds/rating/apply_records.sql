-- Made by `make sql` from apply_records.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: make the inserted and updated records of a load the believed ones; every other row stays untouched.
-- Grain: one row per source record. Idempotency: the verdicts decide; run once per load in merge's transaction.
-- Locks: row locks on the updated records, under the tenant's lock. Plain INSERT and UPDATE: the verdicts know which is
--        which, and looking for conflicts would double the cost.
WITH changed AS (
    UPDATE rating.source_record AS believed
    SET
        version = v.version,
        record_hash = v.record_hash,
        recipe = :recipe,
        blocked_reasons = v.blocked_reasons,
        observed_at = :observed_at,
        load_id = :load_id,
        dossier_code = d.dossier_code,
        dossier_key = d.dossier_key,
        agency_code = d.agency_code,
        agency_code_raw = d.agency_code_raw,
        agency_name = d.agency_name,
        satisfaction = d.satisfaction,
        satisfaction_raw = d.satisfaction_raw,
        rating_type = d.rating_type,
        rated_at = d.rated_at,
        source_modified_at = d.source_modified_at
    FROM staging.verdict AS v
    INNER JOIN staging.rating AS d
        ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = v.source_key
)
INSERT INTO rating.source_record (
    tenant,
    source_id,
    source_key,
    version,
    record_hash,
    recipe,
    blocked_reasons,
    observed_at,
    load_id,
    dossier_code,
    dossier_key,
    agency_code,
    agency_code_raw,
    agency_name,
    satisfaction,
    satisfaction_raw,
    rating_type,
    rated_at,
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
    d.dossier_code,
    d.dossier_key,
    d.agency_code,
    d.agency_code_raw,
    d.agency_name,
    d.satisfaction,
    d.satisfaction_raw,
    d.rating_type,
    d.rated_at,
    d.source_modified_at
FROM staging.verdict AS v
INNER JOIN staging.rating AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'inserted';
