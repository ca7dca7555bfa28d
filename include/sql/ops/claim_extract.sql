-- Purpose: take the right to extract a load. The newest claim wins: whoever holds an older fence can't commit any more.
--          Every claim is a reading of the source, numbered in the order of claims.
-- Grain: one load. Idempotency: every claim raises the fence. Locks: the load's row.
WITH claimed AS (
    UPDATE ops.load
    SET fence = fence + 1, error = NULL, failed_at = NULL
    WHERE load_id = :load_id AND state = 'opened'
    RETURNING load_id, fence
)
INSERT INTO ops.reading (load_id, fence)
SELECT
    claimed.load_id,
    claimed.fence
FROM claimed
RETURNING fence;
