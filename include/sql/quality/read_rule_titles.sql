-- Purpose: the Vietnamese titles of rules, for reasons shown to people. Grain: one row per rule of an entity.
-- Idempotency: reads only. Locks: none.
SELECT
    r.rule_id,
    r.title_vi
FROM quality.rule AS r
ORDER BY r.entity, r.rule_id;
