-- Made by `make sql` from find_landed.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: which landed records are known: their rows once came to a record hash, that record is still believed, and it
--          need not be judged again (find_known says when). They are never made, staged, judged or merged.
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
CROSS JOIN LATERAL (
    SELECT believed.record_hash
    FROM dossier.source_record AS believed
    LEFT JOIN ops.load AS own ON own.load_id = believed.load_id
    LEFT JOIN registry.procedure AS p ON p.procedure_code = believed.procedure_code
    WHERE
        believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = l.source_key
        AND believed.recipe = :recipe
        AND coalesce(own.reading_no, 0) <= coalesce(CAST(:reading_no AS bigint), 0)
        AND believed.blocked_reasons = '{}'
        AND coalesce(p.revision, 0) <= greatest(
            CASE WHEN own.state = 'merged' AND own.judged_rules = :judged_rules THEN own.judged_catalogue END,
            CASE WHEN whole.load_id > believed.load_id THEN whole.judged_catalogue END
        )
        AND NOT EXISTS (
            SELECT 1
            FROM quality.violation AS v
            WHERE
                v.tenant = :tenant
                AND v.source_id = :source_id
                AND v.source_key = l.source_key
                AND v.resolved_load_id IS NULL
        )
    OFFSET 0
) AS settled
WHERE settled.record_hash = f.record_hash;
