-- Purpose: a load is landed. Grain: one load. Idempotency: only the holder of the newest fence succeeds, once.
-- Locks: the load's row.
UPDATE ops.load
SET
    state = 'extracted',
    manifest_url = :manifest_url,
    observed_at = :observed_at,
    extracted_at = :now
WHERE load_id = :load_id AND state = 'opened' AND fence = :fence;
