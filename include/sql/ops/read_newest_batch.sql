-- Purpose: where the newest merged batch of a source lies, for an extraction that need not ask again for all of it, or
--          rests on what it holds; a range holds too little for that.
-- Grain: at most one row. Idempotency: reads only. Locks: none.
SELECT l.manifest_url
FROM ops.load AS l
WHERE l.tenant = :tenant AND l.source_id = :source_id AND l.state = 'merged' AND l.mode <> 'range'
ORDER BY l.merge_no DESC
LIMIT 1;
