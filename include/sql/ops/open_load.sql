-- Purpose: open the load of a run, once. Grain: one row per (tenant, source, run key).
-- Idempotency: a second call inserts nothing; read_load_by_run finds the row. Locks: none.
INSERT INTO ops.load (tenant, source_id, run_key, kind, mode, window_from, window_to, contract_hash, opened_at)
VALUES (:tenant, :source_id, :run_key, :kind, :mode, :window_from, :window_to, :contract_hash, :now)
ON CONFLICT (tenant, source_id, run_key) DO NOTHING;
