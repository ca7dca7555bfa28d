-- Purpose: dossiers that the warehouse knows to be last modified inside a window, whole hours only. A dossier that was
--          touched since and not changed still counts where it was: at the source it may have left the window by its end.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT coalesce(sum(modified.dossiers), 0) AS dossiers
FROM freshness.modified AS modified
WHERE
    modified.tenant = :tenant
    AND modified.source_id = :source_id
    AND modified.hour >= :window_from
    AND modified.hour <= CAST(:window_to AS timestamptz) - INTERVAL '1 hour';
