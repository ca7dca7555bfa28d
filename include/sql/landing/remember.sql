-- Purpose: keep what the rows of a dossier came to, for find_known. Left out: what the gate has to see whatever its hash
--          says, and dossiers of which a row replaces another, because that rests on the order in which rows came.
-- Grain: one dossier. Idempotency: yes; what is remembered already is not written.
-- Locks: the written rows, in the order of their keys.
INSERT INTO landing.fingerprint AS f (tenant, source_id, source_key, low, high, record_hash)
SELECT
    :tenant,
    :source_id,
    l.source_key,
    l.low,
    l.high,
    g.record_hash
FROM pg_temp.landed AS l
INNER JOIN staging.digest AS g
    ON g.tenant = :tenant AND g.load_id = :load_id AND g.source_key = l.source_key
WHERE
    NOT g.doubtful
    AND NOT EXISTS (
        SELECT 1
        FROM staging.superseded AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = l.source_key
    )
ORDER BY l.source_key
ON CONFLICT (tenant, source_id, source_key) DO UPDATE
SET
    low = excluded.low,
    high = excluded.high,
    record_hash = excluded.record_hash
WHERE (f.low, f.high, f.record_hash) IS DISTINCT FROM (excluded.low, excluded.high, excluded.record_hash);
