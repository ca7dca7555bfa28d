-- Purpose: fill step_wanted. Grain: one row per step. Idempotency: once per transaction. Locks: none.
COPY step_wanted (dossier_id, step_key, step_hash, occurred_at) FROM STDIN WITH (FORMAT csv)
