-- Purpose: what each rule found in one load, with its Vietnamese title; worst first.
-- Grain: one rule. Idempotency: reads only. Locks: none.
SELECT
    g.entity,
    g.rule_id,
    g.severity,
    g.evaluated,
    g.failed,
    r.title_vi
FROM quality.gate_result AS g
INNER JOIN quality.rule AS r
    ON r.entity = g.entity AND r.rule_id = g.rule_id
WHERE g.tenant = :tenant AND g.load_id = :load_id
ORDER BY
    CASE g.severity WHEN 'reject' THEN 1 WHEN 'block' THEN 2 ELSE 3 END,
    g.failed DESC,
    g.entity,
    g.rule_id;
