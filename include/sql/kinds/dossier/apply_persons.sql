-- Made by `make sql` from apply_persons.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: store the personal data of inserted and updated records, apart from everything else.
-- Grain: one row per source record. Idempotency: the verdicts decide; run once per load in merge's transaction.
-- Locks: row locks on the updated rows, under the tenant's lock. Plain INSERT and UPDATE, as in apply_records.
WITH changed AS (
    UPDATE dossier.person AS believed
    SET
        version = v.version,
        applicant_name = d.applicant_name,
        applicant_id_number = d.applicant_id_number,
        applicant_phone = d.applicant_phone,
        applicant_email = d.applicant_email,
        applicant_address = d.applicant_address,
        abstract = d.abstract
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
INSERT INTO dossier.person (
    tenant,
    source_id,
    source_key,
    version,
    applicant_name,
    applicant_id_number,
    applicant_phone,
    applicant_email,
    applicant_address,
    abstract
)
SELECT
    :tenant,
    :source_id,
    v.source_key,
    v.version,
    d.applicant_name,
    d.applicant_id_number,
    d.applicant_phone,
    d.applicant_email,
    d.applicant_address,
    d.abstract
FROM staging.verdict AS v
INNER JOIN staging.dossier AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'inserted';
