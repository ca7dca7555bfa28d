-- Made by `make sql` from apply_persons.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: store the personal data of inserted and updated records, apart from everything else.
-- Grain: one row per source record. Idempotency: the verdicts decide; run once per load in merge's transaction.
-- Locks: row locks on the updated rows, under the tenant's lock. Plain INSERT and UPDATE, as in apply_records.
WITH changed AS (
    UPDATE petition.person AS believed
    SET
        version = v.version,
        sender_name = d.sender_name,
        sender_phone = d.sender_phone,
        sender_email = d.sender_email,
        sender_address = d.sender_address,
        title = d.title,
        content = d.content,
        answer = d.answer
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
INSERT INTO petition.person (
    tenant,
    source_id,
    source_key,
    version,
    sender_name,
    sender_phone,
    sender_email,
    sender_address,
    title,
    content,
    answer
)
SELECT
    :tenant,
    :source_id,
    v.source_key,
    v.version,
    d.sender_name,
    d.sender_phone,
    d.sender_email,
    d.sender_address,
    d.title,
    d.content,
    d.answer
FROM staging.verdict AS v
INNER JOIN staging.petition AS d
    ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'inserted';
