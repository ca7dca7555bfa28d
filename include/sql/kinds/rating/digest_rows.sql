-- Made by `make sql` from digest_rows.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: one hash per staged rating over its canonical values and its children, before the gate, so that what the
--          warehouse already knows can be set aside. Recipe 1 of the record hash: two of PostgreSQL's 64-bit hashes of
--          the hashed values, typed (an instant is an instant, NULL is not ''); children enter by what their
--          digest_… statements found. PostgreSQL keeps these functions stable, because hash partitions rest on them.
-- Grain: one row per row of staging.rating. `doubtful`: the gate has to see it, whatever its hash says.
-- Idempotency: the caller empties the load's staging first. Locks: none.
INSERT INTO staging.digest (tenant, load_id, row_no, source_key, record_hash, doubtful)
SELECT
    :tenant,
    :load_id,
    d.row_no,
    d.source_key,
    int8send(hash_record_extended(ROW(
        d.dossier_code,
        d.dossier_key,
        d.agency_code,
        d.agency_code_raw,
        d.agency_name,
        d.satisfaction,
        d.satisfaction_raw,
        d.rating_type,
        d.rated_at,
        d.rater_name,
        d.comment,
        rating_mark_digest.low
    ), 0))
    || int8send(hash_record_extended(ROW(
        d.dossier_code,
        d.dossier_key,
        d.agency_code,
        d.agency_code_raw,
        d.agency_name,
        d.satisfaction,
        d.satisfaction_raw,
        d.rating_type,
        d.rated_at,
        d.rater_name,
        d.comment,
        rating_mark_digest.high
    ), 1)),
    d.type_errors IS NOT NULL
    OR coalesce(d.was_not_nfc, false)
    OR coalesce(rating_mark_digest.untyped, false)
FROM staging.rating AS d
LEFT JOIN pg_temp.rating_mark_digest AS rating_mark_digest ON rating_mark_digest.source_key = d.source_key
WHERE d.tenant = :tenant AND d.load_id = :load_id;
