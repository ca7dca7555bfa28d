-- Made by `make sql` from retire_persons.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: keep the personal data of every superseded version with that version.
-- Grain: one history row per superseded version. Idempotency: runs once per load, inside merge's transaction.
-- Locks: none beyond the tenant's.
INSERT INTO dossier.person_history (
    tenant,
    source_id,
    source_key,
    version,
    applicant_name,
    applicant_id_number,
    applicant_phone,
    applicant_email,
    applicant_address,
    abstract,
    superseded_by
)
SELECT
    believed.tenant,
    believed.source_id,
    believed.source_key,
    believed.version,
    believed.applicant_name,
    believed.applicant_id_number,
    believed.applicant_phone,
    believed.applicant_email,
    believed.applicant_address,
    believed.abstract,
    :load_id
FROM staging.verdict AS v
INNER JOIN dossier.person AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = v.source_key
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'updated';
