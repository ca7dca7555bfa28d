-- Purpose: forget what an earlier run of the gate found in this load.
-- Grain: all violations of one load. Idempotency: yes. Locks: the deleted rows.
DELETE FROM staging.violation
WHERE tenant = :tenant AND load_id = :load_id
