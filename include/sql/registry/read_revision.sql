-- Purpose: the revision of the national catalogue that is in force. Grain: one number, null before the first sync.
-- Idempotency: reads only. Locks: none.
SELECT max(s.revision) AS revision
FROM registry.catalogue_sync AS s;
