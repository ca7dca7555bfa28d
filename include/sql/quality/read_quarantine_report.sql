-- Purpose: what is wrong at present, per source and rule, with a few examples for the quality team.
-- Grain: one source, entity and rule of a tenant. A code is shown only where it has the form of one; else it is left
--   out, as people also type names into that field. Idempotency: reads only. Locks: none.
WITH broken AS (
    SELECT
        v.source_id,
        v.entity,
        v.rule_id,
        v.severity,
        v.source_key,
        v.child_key,
        v.first_load_id,
        b.code AS dossier_code
    FROM quality.violation AS v
    LEFT JOIN quality.record_code AS b
        ON
            b.tenant = :tenant
            AND v.source_id = b.source_id
            AND v.source_key = b.source_key
            AND b.code ~ :code_pattern
    WHERE v.tenant = :tenant AND v.resolved_load_id IS NULL
),

dossier_example AS (
    SELECT
        source_id,
        entity,
        rule_id,
        source_key,
        min(dossier_code) AS dossier_code,
        max(first_load_id) AS first_load_id,
        row_number() OVER (
            PARTITION BY source_id, entity, rule_id
            ORDER BY max(first_load_id) DESC, source_key
        ) AS place
    FROM broken
    WHERE source_key <> ''
    GROUP BY source_id, entity, rule_id, source_key
),

example AS (
    SELECT
        source_id,
        entity,
        rule_id,
        array_agg(source_key ORDER BY place) AS source_keys,
        array_agg(COALESCE(dossier_code, '') ORDER BY place) AS dossier_codes
    FROM dossier_example
    WHERE place <= :examples
    GROUP BY source_id, entity, rule_id
),

total AS (
    SELECT
        source_id,
        entity,
        rule_id,
        severity,
        count(*) AS records,
        count(DISTINCT source_key) AS dossiers
    FROM broken
    GROUP BY source_id, entity, rule_id, severity
)

SELECT
    t.source_id,
    t.entity,
    t.rule_id,
    t.severity,
    t.records,
    t.dossiers,
    COALESCE(r.title_vi, t.rule_id) AS title_vi,
    COALESCE(r.explanation_vi, '') AS explanation_vi,
    COALESCE(r.owner, '') AS owner,
    COALESCE(r.field, '') AS field,
    COALESCE(e.source_keys, '{}') AS source_keys,
    COALESCE(e.dossier_codes, '{}') AS dossier_codes
FROM total AS t
LEFT JOIN quality.rule AS r ON t.entity = r.entity AND t.rule_id = r.rule_id
LEFT JOIN example AS e ON t.source_id = e.source_id AND t.entity = e.entity AND t.rule_id = e.rule_id
ORDER BY
    t.source_id,
    CASE t.severity WHEN 'reject' THEN 1 WHEN 'block' THEN 2 ELSE 3 END,
    t.dossiers DESC,
    t.entity,
    t.rule_id
