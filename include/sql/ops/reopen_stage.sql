-- Purpose: send a load whose staged rows were lost in a database crash back to staging. Grain: one load.
-- Idempotency: yes. Locks: the load's row.
UPDATE ops.load
SET state = 'extracted', staged_at = NULL, gated_at = NULL, staged_rows = NULL
WHERE load_id = :load_id AND state IN ('staged', 'gated');
