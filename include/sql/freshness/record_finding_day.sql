-- Purpose: on which days a finding was open, and how it looked. Grain: one finding and day.
-- Idempotency: the last sight of a day wins. Locks: the row.
INSERT INTO freshness.finding_day (finding_id, day, severity, details)
VALUES (:finding_id, :day, :severity, CAST(:details AS jsonb))
ON CONFLICT (finding_id, day) DO UPDATE SET
    severity = excluded.severity,
    details = excluded.details;
