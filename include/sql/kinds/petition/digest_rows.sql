-- Made by `make sql` from digest_rows.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: one hash per staged petition over its canonical values and its children, before the gate, so that what the
--          warehouse already knows can be set aside. Recipe 1 of the record hash: two of PostgreSQL's 64-bit hashes of
--          the hashed values, typed (an instant is an instant, NULL is not ''); children enter by what their
--          digest_… statements found. PostgreSQL keeps these functions stable, because hash partitions rest on them.
-- Grain: one row per row of staging.petition. `doubtful`: the gate has to see it, whatever its hash says.
-- Idempotency: the caller empties the load's staging first. Locks: none.
INSERT INTO staging.digest (tenant, load_id, row_no, source_key, record_hash, doubtful)
SELECT
    :tenant,
    :load_id,
    d.row_no,
    d.source_key,
    int8send(hash_record_extended(ROW(
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
        d.sender_name,
        d.sender_phone,
        d.sender_email,
        d.sender_address,
        d.title,
        d.content,
        d.answer,
        petition_step_digest.low
    ), 0))
    || int8send(hash_record_extended(ROW(
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
        d.sender_name,
        d.sender_phone,
        d.sender_email,
        d.sender_address,
        d.title,
        d.content,
        d.answer,
        petition_step_digest.high
    ), 1)),
    d.type_errors IS NOT NULL
    OR coalesce(d.was_not_nfc, false)
    OR coalesce(petition_step_digest.untyped, false)
FROM staging.petition AS d
LEFT JOIN pg_temp.petition_step_digest AS petition_step_digest ON petition_step_digest.source_key = d.source_key
WHERE d.tenant = :tenant AND d.load_id = :load_id;
