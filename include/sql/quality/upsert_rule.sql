-- Purpose: keep the rules as the suites state them, for people who read results.
-- Grain: one rule. Idempotency: yes; an unchanged rule is not rewritten. Locks: the changed row. Reference table: no tenant.
INSERT INTO quality.rule AS held (rule_id, entity, severity, field, owner, title_vi, explanation_vi)
VALUES (:rule_id, :entity, :severity, :field, :owner, :title_vi, :explanation_vi)
ON CONFLICT (entity, rule_id) DO UPDATE
    SET
        severity = EXCLUDED.severity,
        field = EXCLUDED.field,
        owner = EXCLUDED.owner,
        title_vi = EXCLUDED.title_vi,
        explanation_vi = EXCLUDED.explanation_vi
WHERE
    (held.severity, held.field, held.owner, held.title_vi, held.explanation_vi)
    IS DISTINCT FROM (EXCLUDED.severity, EXCLUDED.field, EXCLUDED.owner, EXCLUDED.title_vi, EXCLUDED.explanation_vi)
