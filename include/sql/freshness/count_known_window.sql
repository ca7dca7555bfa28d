-- Purpose: dossiers that the warehouse knows to be last modified inside a window; only whole hours count, so this is a
--          lower bound. Grain: one row. Idempotency: reads only. Locks: none.
SELECT coalesce(sum(modified.dossiers), 0) AS dossiers
FROM freshness.modified AS modified
WHERE
    modified.tenant = :tenant
    AND modified.source_id = :source_id
    AND modified.hour >= :window_from
    AND modified.hour <= CAST(:window_to AS timestamptz) - INTERVAL '1 hour';
