-- Purpose: the workbook of a final score was written. Grain: one month. Idempotency: the first time counts.
-- Locks: the row.
UPDATE indices.final_score
SET published_at = :now
WHERE
    month = :month
    AND run_id = :run_id
    AND published_at IS NULL
