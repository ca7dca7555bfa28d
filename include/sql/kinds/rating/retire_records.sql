-- Made by `make sql` from retire_records.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: move what a load supersedes into history: the record of every updated rating, as it was believed.
-- Grain: one history row per superseded version. Idempotency: runs once per load, inside merge's transaction.
-- Locks: none beyond the tenant's; the rows themselves are updated by apply_records afterwards.
INSERT INTO rating.source_record_history (
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
    source_modified_at,
    superseded_by
)
SELECT
    believed.tenant,
    believed.source_id,
    believed.source_key,
    believed.version,
    believed.record_hash,
    believed.recipe,
    believed.blocked_reasons,
    believed.observed_at,
    believed.load_id,
    believed.dossier_code,
    believed.dossier_key,
    believed.agency_code,
    believed.agency_code_raw,
    believed.agency_name,
    believed.satisfaction,
    believed.satisfaction_raw,
    believed.rating_type,
    believed.rated_at,
    believed.source_modified_at,
    :load_id
FROM staging.verdict AS v
INNER JOIN rating.source_record AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = v.source_key
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'updated';
