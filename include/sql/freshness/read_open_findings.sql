-- Purpose: open findings, of one source or (source_id null) of all. Grain: one row per finding.
-- Idempotency: reads only. Locks: none.
SELECT
    finding.finding_id,
    finding.tenant,
    finding.source_id,
    finding.kind,
    finding.subject,
    finding.severity,
    finding.since,
    finding.details,
    finding.first_seen_at,
    finding.last_seen_at,
    finding.closed_at,
    finding.close_reason,
    finding.alerted_by
FROM freshness.finding AS finding
WHERE
    finding.closed_at IS NULL
    AND (CAST(:source_id AS text) IS NULL OR finding.source_id = :source_id)
ORDER BY finding.severity, finding.tenant, finding.source_id, finding.kind, finding.finding_id;
