-- Made by `make sql` from retire_persons.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: keep the personal data of every superseded version with that version.
-- Grain: one history row per superseded version. Idempotency: runs once per load, inside merge's transaction.
-- Locks: none beyond the tenant's.
INSERT INTO rating.person_history (
    tenant,
    source_id,
    source_key,
    version,
    rater_name,
    comment,
    superseded_by
)
SELECT
    believed.tenant,
    believed.source_id,
    believed.source_key,
    believed.version,
    believed.rater_name,
    believed.comment,
    :load_id
FROM staging.verdict AS v
INNER JOIN rating.person AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = v.source_key
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'updated';
