-- Purpose: close a finding. Grain: one finding. Idempotency: a closed one stays as it is. Locks: the finding's row.
UPDATE freshness.finding
SET
    closed_at = :now,
    close_reason = :reason
WHERE finding_id = :finding_id AND closed_at IS NULL;
