-- Purpose: the sync of one run, if it was done. Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    revision,
    procedures,
    changed,
    vanished,
    agencies
FROM registry.catalogue_sync
WHERE run_key = :run_key;
