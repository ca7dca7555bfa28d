-- Purpose: take the revision of a sync; close_catalogue_sync fills the counts in the same transaction.
-- Grain: one row per run. Idempotency: run_key is unique. Locks: that row.
INSERT INTO registry.catalogue_sync (
    run_key,
    synced_at,
    procedures,
    changed,
    vanished,
    agencies
)
VALUES (:run_key, :now, 0, 0, 0, 0)
RETURNING revision;
