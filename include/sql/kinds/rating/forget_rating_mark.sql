-- Made by `make sql` from forget_child.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: let the rating_mark rows of a load be digested once more, when some came after they were. Grain: one load.
-- Idempotency: yes. Locks: none.
DELETE FROM staging.superseded
WHERE tenant = :tenant AND load_id = :load_id AND entity = 'rating_mark';
DROP TABLE IF EXISTS pg_temp.rating_mark_digest;
