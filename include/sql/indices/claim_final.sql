-- Purpose: make a run the final score of its month; no row comes back when the month has one.
-- Grain: one month. Idempotency: by month. Locks: a second caller waits for the first to commit.
INSERT INTO indices.final_score (month, run_id)
VALUES (:month, :run_id)
ON CONFLICT (month) DO NOTHING
RETURNING run_id
