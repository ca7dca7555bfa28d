-- Made by `make sql` from decide_verdicts.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: decide what each staged dossier row is: inserted, updated, unchanged, duplicate, stale or quarantined.
-- Grain: one verdict per row of staging.dossier of the load; the record hash is the one that digest_rows took.
--        A record that is known keeps its dossier; a new one opens its own, whose id follows from the record's key.
-- Idempotency: the caller deletes the load's verdicts first, in the same transaction.
-- Locks: reads only, under the tenant's lock.
INSERT INTO staging.verdict (
    tenant,
    load_id,
    row_no,
    source_key,
    outcome,
    record_hash,
    blocked_reasons,
    dossier_id,
    version
)
WITH rejected AS (
    SELECT v.row_no
    FROM staging.violation AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity = 'dossier' AND v.severity = 'reject'
    UNION
    SELECT g.row_no
    FROM staging.violation AS v
    INNER JOIN staging.digest AS g ON g.tenant = :tenant AND g.load_id = :load_id AND g.source_key = v.source_key
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity <> 'dossier' AND v.severity = 'reject'
),
blocked AS (
    SELECT
        reason.row_no,
        array_agg(reason.rule_id ORDER BY reason.rule_id COLLATE "C") AS reasons
    FROM (
        SELECT
            v.row_no,
            v.rule_id
        FROM staging.violation AS v
        WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity = 'dossier' AND v.severity = 'block'
        UNION
        SELECT
            g.row_no,
            v.rule_id
        FROM staging.violation AS v
        INNER JOIN staging.digest AS g ON g.tenant = :tenant AND g.load_id = :load_id AND g.source_key = v.source_key
        WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity <> 'dossier' AND v.severity = 'block'
    ) AS reason
    GROUP BY reason.row_no
),
ranked AS (
    SELECT
        g.row_no,
        g.source_key,
        g.record_hash,
        (r.row_no IS NOT NULL) AS rejected,
        row_number() OVER (PARTITION BY g.source_key, r.row_no IS NOT NULL ORDER BY g.row_no DESC) AS recency
    FROM staging.digest AS g
    LEFT JOIN rejected AS r ON r.row_no = g.row_no
    WHERE g.tenant = :tenant AND g.load_id = :load_id
)
SELECT
    :tenant,
    :load_id,
    ranked.row_no,
    ranked.source_key,
    CASE
        WHEN ranked.rejected THEN 'quarantined'
        WHEN ranked.recency > 1 THEN 'duplicate'
        WHEN believed.source_key IS NULL THEN 'inserted'
        WHEN coalesce(own.reading_no, 0) > coalesce(CAST(:reading_no AS bigint), 0) THEN 'stale'
        WHEN
            believed.recipe = :recipe
            AND believed.record_hash = ranked.record_hash
            AND array_remove(believed.blocked_reasons, 'dossier_code_collision') = coalesce(blocked.reasons, '{}')
            THEN 'unchanged'
        ELSE 'updated'
    END,
    ranked.record_hash,
    coalesce(blocked.reasons, '{}'),
    coalesce(
        believed.dossier_id,
        md5(CAST(:tenant AS text) || E'\x1f' || CAST(:source_id AS text) || E'\x1f' || ranked.source_key)::uuid
    ),
    coalesce(believed.version, 0) + 1
FROM ranked
LEFT JOIN blocked ON blocked.row_no = ranked.row_no
LEFT JOIN dossier.source_record AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = ranked.source_key
LEFT JOIN ops.load AS own ON own.load_id = believed.load_id;
