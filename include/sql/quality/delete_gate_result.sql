-- Purpose: forget the results of an earlier run of the gate on this load.
-- Grain: all results of one load. Idempotency: yes. Locks: the deleted rows.
DELETE FROM quality.gate_result
WHERE tenant = :tenant AND load_id = :load_id
