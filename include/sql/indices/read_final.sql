-- Purpose: the run that is the final score of a month. Grain: one month. Idempotency: reads. Locks: none.
SELECT
    score_run.run_id,
    score_run.run_key,
    score_run.computed_at,
    final_score.published_at
FROM indices.final_score
INNER JOIN indices.score_run
    ON score_run.run_id = final_score.run_id
WHERE final_score.month = :month
