-- Purpose: the load of a run. Grain: one row. Idempotency: reads only. Locks: none.
SELECT load_id
FROM ops.load
WHERE tenant = :tenant AND source_id = :source_id AND run_key = :run_key;
