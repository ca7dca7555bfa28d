-- Made by `make sql` from read_vanished.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: how many believed records a source no longer has, since when, and the first keys of them. Keys are not personal.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    count(*) AS records,
    min(v.vanished_at) AS since,
    ARRAY(
        SELECT named.source_key
        FROM dossier.vanished AS named
        WHERE named.tenant = :tenant AND named.source_id = :source_id
        ORDER BY named.vanished_at, length(named.source_key), named.source_key
        LIMIT CAST(:shown AS integer)
    ) AS source_keys
FROM dossier.vanished AS v
WHERE v.tenant = :tenant AND v.source_id = :source_id;
