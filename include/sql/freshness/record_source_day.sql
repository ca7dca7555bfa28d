-- Purpose: keep what was expected of a source on a day, and what was seen. Grain: one source and day.
-- Idempotency: the last judgement wins. Locks: the row.
INSERT INTO freshness.source_day (tenant, source_id, day, kind, expected, spread, seen, judged_at)
VALUES (:tenant, :source_id, :day, :kind, :expected, :spread, :seen, :now)
ON CONFLICT (tenant, source_id, day) DO UPDATE SET
    kind = excluded.kind,
    expected = excluded.expected,
    spread = excluded.spread,
    seen = excluded.seen,
    judged_at = excluded.judged_at;
