-- Purpose: the run of a key, to compare what it was computed for. Grain: one run. Idempotency: reads. Locks: none.
SELECT
    run_id,
    definition_hash,
    month,
    kind,
    tenants
FROM indices.score_run
WHERE run_key = :run_key
