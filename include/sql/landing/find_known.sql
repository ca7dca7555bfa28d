-- Purpose: which landed dossiers are known: their rows once came to a record hash, that record is still believed, and it
--          need not be judged again. They are never made, staged, judged or merged.
-- Grain: one array of places in `landed`. Idempotency: reads only. Locks: none.
SELECT coalesce(array_agg(l.place), '{}') AS places
FROM pg_temp.landed AS l
INNER JOIN landing.fingerprint AS f
    ON
        f.tenant = :tenant
        AND f.source_id = :source_id
        AND f.source_key = l.source_key
        AND f.low = l.low
        AND f.high = l.high
CROSS JOIN ops.judged_whole(:tenant, :source_id, :judged_rules) AS whole
CROSS JOIN LATERAL dossier.settled(
    :tenant,
    :source_id,
    l.source_key,
    CAST(:reading_no AS bigint),
    :recipe,
    :judged_rules,
    whole.load_id,
    whole.judged_catalogue
) AS settled
WHERE settled.record_hash = f.record_hash;
