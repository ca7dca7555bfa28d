-- Made by `make sql` from upsert_quarantine.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: put into quarantine what this load rejects: rating records (each with its children), and children rejected
--   without a rating in their load. One already there gets the newest pointer and reasons. A record without a key is
--   told from another by a digest of its values that are not personal.
-- Grain: one rejected unit. Idempotency: yes. Locks: the written rows; the caller holds the tenant's merge lock.
WITH rejection AS MATERIALIZED (
    SELECT v.*
    FROM staging.violation AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.severity = 'reject'
),
rejected AS (
    SELECT v.row_no
    FROM staging.violation AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity = 'rating' AND v.severity = 'reject'
    UNION
    SELECT g.row_no
    FROM staging.violation AS v
    INNER JOIN staging.digest AS g ON g.tenant = :tenant AND g.load_id = :load_id AND g.source_key = v.source_key
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.entity <> 'rating' AND v.severity = 'reject'
),
rejected_rating AS MATERIALIZED (
    SELECT
        'rating' AS entity,
        c.row_no,
        CASE WHEN btrim(coalesce(c.source_key, '')) = '' THEN '' ELSE c.source_key END AS source_key,
        '' AS child_key,
        CASE
            WHEN btrim(coalesce(c.source_key, '')) = ''
                THEN md5((to_jsonb(c) - ARRAY[
                    'load_id', 'row_no', 'landing_part', 'landing_row',
                    'rater_name',
                    'comment'
                ])::text)
            ELSE ''
        END AS fingerprint,
        c.landing_part,
        c.landing_row
    FROM rejected
    INNER JOIN staging.rating AS c ON c.tenant = :tenant AND c.load_id = :load_id AND c.row_no = rejected.row_no
    WHERE NOT EXISTS (
        SELECT
        FROM staging.verdict AS s
        WHERE
            s.tenant = :tenant
            AND s.load_id = :load_id
            AND s.row_no = c.row_no
            AND s.outcome IN ('duplicate', 'stale')
    )
),
-- Almost always none: then the children of the load are not walked through.
without_rating AS MATERIALIZED (
    SELECT v.*
    FROM rejection AS v
    WHERE
        v.entity <> 'rating'
        AND (
            btrim(coalesce(v.source_key, '')) = ''
            OR NOT EXISTS (
                SELECT
                FROM staging.digest AS parent
                WHERE parent.tenant = :tenant AND parent.load_id = :load_id AND parent.source_key = v.source_key
            )
        )
),
reason AS (
    SELECT
        d.*,
        v.rule_id
    FROM rejected_rating AS d
    INNER JOIN rejection AS v ON v.entity = 'rating' AND v.row_no = d.row_no
    UNION ALL
    SELECT
        d.*,
        v.rule_id
    FROM rejected_rating AS d
    INNER JOIN rejection AS v ON v.entity <> 'rating' AND v.source_key = d.source_key
    UNION ALL
    SELECT
        'rating_mark' AS entity,
        c.row_no,
        CASE WHEN btrim(coalesce(c.source_key, '')) = '' THEN '' ELSE c.source_key END AS source_key,
        CASE WHEN btrim(coalesce(c.child_key, '')) = '' THEN '' ELSE c.child_key END AS child_key,
        CASE
            WHEN btrim(coalesce(c.source_key, '')) = '' OR btrim(coalesce(c.child_key, '')) = ''
                THEN md5((to_jsonb(c) - ARRAY[
                    'load_id', 'row_no', 'landing_part', 'landing_row'
                ])::text)
            ELSE ''
        END AS fingerprint,
        c.landing_part,
        c.landing_row,
        v.rule_id
    FROM without_rating AS v
    INNER JOIN staging.rating_mark AS c ON c.tenant = :tenant AND c.load_id = :load_id AND c.row_no = v.row_no
    WHERE v.entity = 'rating_mark'
),
rejected_unit AS (
    SELECT
        entity,
        source_key,
        child_key,
        fingerprint,
        array_agg(DISTINCT rule_id ORDER BY rule_id) AS reasons,
        (array_agg(landing_part ORDER BY row_no DESC))[1] AS landing_part,
        (array_agg(landing_row ORDER BY row_no DESC))[1] AS landing_row
    FROM reason
    GROUP BY entity, source_key, child_key, fingerprint
)
INSERT INTO quality.quarantine AS held (
    tenant,
    source_id,
    entity,
    source_key,
    child_key,
    fingerprint,
    opened_load_id,
    last_load_id,
    reasons,
    manifest_url,
    landing_part,
    landing_row,
    opened_at
)
SELECT
    :tenant,
    :source_id,
    u.entity,
    u.source_key,
    u.child_key,
    u.fingerprint,
    :load_id,
    :load_id,
    u.reasons,
    :manifest_url,
    u.landing_part,
    u.landing_row,
    :now
FROM rejected_unit AS u
ON CONFLICT (tenant, source_id, entity, source_key, child_key, fingerprint) WHERE state = 'open' DO UPDATE
    SET
        last_load_id = excluded.last_load_id,
        reasons = excluded.reasons,
        manifest_url = excluded.manifest_url,
        landing_part = excluded.landing_part,
        landing_row = excluded.landing_row
WHERE held.last_load_id <> excluded.last_load_id;
