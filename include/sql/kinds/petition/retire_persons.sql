-- Made by `make sql` from retire_persons.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: keep the personal data of every superseded version with that version.
-- Grain: one history row per superseded version. Idempotency: runs once per load, inside merge's transaction.
-- Locks: none beyond the tenant's.
INSERT INTO petition.person_history (
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
    answer,
    superseded_by
)
SELECT
    believed.tenant,
    believed.source_id,
    believed.source_key,
    believed.version,
    believed.sender_name,
    believed.sender_phone,
    believed.sender_email,
    believed.sender_address,
    believed.title,
    believed.content,
    believed.answer,
    :load_id
FROM staging.verdict AS v
INNER JOIN petition.person AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = v.source_key
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome = 'updated';
