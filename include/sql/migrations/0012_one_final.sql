-- Purpose: a month has one final score.
-- Grain: one month. Idempotency: run once by Alembic. Locks: none that matter on a new table.

-- Which run is the final score of a month; published_at: when its workbook was first written. A month that was scored
-- as final more than once before this table keeps the newest run: its workbook is the one that lies there.
CREATE TABLE indices.final_score (
    month text PRIMARY KEY,
    run_id bigint NOT NULL UNIQUE REFERENCES indices.score_run,
    published_at timestamptz
);

INSERT INTO indices.final_score (month, run_id, published_at)
SELECT DISTINCT ON (month)
    month,
    run_id,
    computed_at
FROM indices.score_run
WHERE kind = 'final'
ORDER BY month ASC, run_id DESC;
