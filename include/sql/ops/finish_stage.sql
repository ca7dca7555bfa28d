-- Purpose: a load is staged; how many rows there are is kept to notice a later loss, and by what it is judged to know
--          later what need not be judged again. Grain: one load.
-- Idempotency: run under the load's lock. Locks: the load's row.
UPDATE ops.load
SET
    state = CASE WHEN state = 'extracted' THEN 'staged' ELSE state END,
    staged_rows = CAST(:staged_rows AS jsonb),
    set_aside = CAST(:set_aside AS jsonb),
    judged_rules = :judged_rules,
    judged_catalogue = :judged_catalogue,
    staged_after = :staged_after,
    staged_at = :now,
    error = NULL,
    failed_at = NULL
WHERE load_id = :load_id;
