-- Purpose: a load is staged; how many rows there are is kept to notice a later loss. Grain: one load.
-- Idempotency: run under the load's lock. Locks: the load's row.
UPDATE ops.load
SET
    state = CASE WHEN state = 'extracted' THEN 'staged' ELSE state END,
    staged_rows = CAST(:staged_rows AS jsonb),
    staged_at = :now,
    error = NULL,
    failed_at = NULL
WHERE load_id = :load_id;
