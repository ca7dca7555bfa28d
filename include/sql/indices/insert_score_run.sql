-- Purpose: open a run; no row comes back when its key is known already.
-- Grain: one run. Idempotency: by run_key. Locks: a second caller with the same key waits for the first to commit.
INSERT INTO indices.score_run (
    run_key,
    definition_hash,
    month,
    kind,
    as_of,
    computed_at,
    tenants,
    loads
)
VALUES (
    :run_key,
    :definition_hash,
    :month,
    :kind,
    :as_of,
    :now,
    CAST(:tenants AS text[]),
    CAST(:loads AS jsonb)
)
ON CONFLICT (run_key) DO NOTHING
RETURNING run_id
