-- Purpose: a source's volume on one day, and what the last judgement expected of it. Grain: one row.
-- Idempotency: reads only. Locks: none.
SELECT
    (
        SELECT coalesce(sum(volume.dossiers), 0)
        FROM freshness.volume AS volume
        WHERE volume.tenant = :tenant AND volume.source_id = :source_id AND volume.day = :day
    ) AS seen,
    (
        SELECT source_day.expected
        FROM freshness.source_day AS source_day
        WHERE source_day.tenant = :tenant AND source_day.source_id = :source_id AND source_day.day = :day
    ) AS expected;
