-- Purpose: record what one rule found in one load.
-- Grain: one rule and load. Idempotency: after delete_gate_result, in its transaction. Locks: none.
INSERT INTO quality.gate_result (tenant, load_id, entity, rule_id, severity, evaluated, failed, checked_at)
VALUES (:tenant, :load_id, :entity, :rule_id, :severity, :evaluated, :failed, :checked_at)
