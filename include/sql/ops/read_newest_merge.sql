-- Purpose: the newest merge of a source: what a load is staged after, and whether it was overtaken since.
-- Grain: one number, 0 before the first merge. Idempotency: reads only. Locks: none.
SELECT coalesce(max(l.merge_no), 0) AS merge_no
FROM ops.load AS l
WHERE l.tenant = :tenant AND l.source_id = :source_id AND l.state = 'merged';
