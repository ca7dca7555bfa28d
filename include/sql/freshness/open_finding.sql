-- Purpose: open a finding, or say that an open one is still there. One that grew worse is told again. What is known of
-- the same run is kept: the failed task knows the class of the error, the ledger the load.
-- Grain: one open finding per (tenant, source, kind, subject). Idempotency: yes, but for last_seen_at.
-- Locks: the finding's row.
INSERT INTO freshness.finding AS finding (
    tenant,
    source_id,
    kind,
    subject,
    severity,
    since,
    details,
    first_seen_at,
    last_seen_at
)
VALUES (:tenant, :source_id, :kind, :subject, :severity, :since, CAST(:details AS jsonb), :now, :now)
ON CONFLICT (tenant, source_id, kind, subject) WHERE closed_at IS NULL DO UPDATE SET
    severity = excluded.severity,
    since = least(finding.since, excluded.since),
    details = CASE
        WHEN finding.details ->> 'run_key' = excluded.details ->> 'run_key'
            THEN finding.details || excluded.details
        ELSE excluded.details
    END,
    last_seen_at = excluded.last_seen_at,
    alerted_by = CASE
        WHEN finding.severity = 'warning' AND excluded.severity = 'error' THEN '{}'
        ELSE finding.alerted_by
    END
RETURNING
    finding.finding_id,
    finding.xmax = 0 AS is_new;
