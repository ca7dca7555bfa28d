-- Purpose: what a channel has still to tell: open findings, and the end of findings that it told of.
-- Grain: one row per finding. Idempotency: reads only. Locks: none.
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
    (finding.closed_at IS NULL AND NOT :channel = ANY(finding.alerted_by))
    OR (
        finding.closed_at > CAST(:closed_after AS timestamptz)
        AND :channel = ANY(finding.alerted_by)
        AND NOT :channel = ANY(finding.recovery_told_by)
    )
ORDER BY finding.severity, finding.tenant, finding.source_id, finding.kind, finding.finding_id;
