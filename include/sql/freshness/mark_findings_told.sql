-- Purpose: remember that a channel told of findings as they stand: that they are open, or that they ended.
-- Grain: one row per finding. Idempotency: yes. Locks: the findings' rows.
UPDATE freshness.finding
SET
    alerted_by = CASE
        WHEN :channel = ANY(alerted_by) THEN alerted_by
        ELSE array_append(alerted_by, CAST(:channel AS text))
    END,
    recovery_told_by = CASE
        WHEN finding_id = ANY(CAST(:ended_ids AS bigint [])) AND NOT :channel = ANY(recovery_told_by)
            THEN array_append(recovery_told_by, CAST(:channel AS text))
        ELSE recovery_told_by
    END
WHERE finding_id = ANY(CAST(:finding_ids AS bigint []));
