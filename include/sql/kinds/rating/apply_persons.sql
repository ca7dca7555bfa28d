-- Made by `make sql` from apply_persons.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: store the personal data of inserted and updated records, apart from everything else.
-- Grain: one row per source record. Idempotency: the verdicts decide; run once per load in merge's transaction.
-- Locks: row locks on the updated rows, under the tenant's lock. Plain INSERT and UPDATE, as in apply_records.
WITH changed AS (
    UPDATE rating.person AS believed
    SET
        version = v.version,
        rater_name = d.rater_name,
        comment = d.comment
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
INSERT INTO rating.person (
    tenant,
    source_id,
    source_key,
    version,
    rater_name,
    comment
)
SELECT
    :tenant,
    :source_id,
    v.source_key,
    v.version,
    d.rater_name,
    d.comment
FROM staging.verdict AS v
INNER JOIN staging.rating AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'inserted';
