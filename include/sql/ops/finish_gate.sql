-- Purpose: a load passed through the gate. Grain: one load. Idempotency: under the load's lock. Locks: the load's row.
UPDATE ops.load
SET state = 'gated', gated_at = :now, error = NULL, failed_at = NULL
WHERE load_id = :load_id AND state = 'staged';
