-- Purpose: take the right to extract a load. The newest claim wins: whoever holds an older fence can't commit any more.
-- Grain: one load. Idempotency: every claim raises the fence. Locks: the load's row.
UPDATE ops.load
SET fence = fence + 1, error = NULL, failed_at = NULL
WHERE load_id = :load_id AND state = 'opened'
RETURNING fence;
