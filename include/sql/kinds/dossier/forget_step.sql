-- Made by `make sql` from forget_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: let the step rows of a load be digested once more, when some came after they were. Grain: one load.
-- Idempotency: yes. Locks: none.
DELETE FROM staging.superseded
WHERE tenant = :tenant AND load_id = :load_id AND entity = 'step';
DROP TABLE IF EXISTS pg_temp.step_digest;
