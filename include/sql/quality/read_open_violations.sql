-- Purpose: every open violation of a tenant, for the list that quality teams work through. Keys only.
-- Grain: one record and rule. Idempotency: reads only. Locks: none.
SELECT
    v.source_id,
    v.severity,
    v.entity,
    v.rule_id,
    COALESCE(r.title_vi, v.rule_id) AS title_vi,
    v.source_key,
    v.child_key,
    COALESCE(b.code, '') AS dossier_code,
    COALESCE(r.owner, '') AS owner,
    v.first_load_id,
    v.last_load_id
FROM quality.violation AS v
LEFT JOIN quality.rule AS r ON v.entity = r.entity AND v.rule_id = r.rule_id
LEFT JOIN quality.record_code AS b
    ON
        b.tenant = :tenant
        AND v.source_id = b.source_id
        AND v.source_key = b.source_key
        AND b.code ~ :code_pattern
WHERE v.tenant = :tenant AND v.resolved_load_id IS NULL
ORDER BY
    v.source_id,
    CASE v.severity WHEN 'reject' THEN 1 WHEN 'block' THEN 2 ELSE 3 END,
    v.rule_id,
    v.source_key,
    v.child_key
