-- Purpose: the counts of a sync. Grain: one row. Idempotency: yes. Locks: that row.
UPDATE registry.catalogue_sync SET
    procedures = :procedures,
    changed = :changed,
    vanished = :vanished,
    agencies = :agencies
WHERE revision = :revision;
