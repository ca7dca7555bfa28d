-- Purpose: one run with the definition it used. Grain: one run. Idempotency: reads. Locks: none.
SELECT
    score_run.run_id,
    score_run.run_key,
    score_run.definition_hash,
    score_run.month,
    score_run.kind,
    score_run.as_of,
    score_run.computed_at,
    score_run.tenants,
    score_run.loads,
    definition.body
FROM indices.score_run
INNER JOIN indices.definition
    ON definition.definition_hash = score_run.definition_hash
WHERE score_run.run_id = :run_id
