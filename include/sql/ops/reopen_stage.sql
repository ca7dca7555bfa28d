-- Purpose: send a load back to staging: its rows were lost in a database crash, or another load of the source was merged
--          since it was compared with what is believed. Grain: one load.
-- Idempotency: yes. Locks: the load's row.
UPDATE ops.load
SET state = 'extracted', staged_at = NULL, gated_at = NULL, staged_rows = NULL, set_aside = NULL
WHERE load_id = :load_id AND state IN ('staged', 'gated');
