-- Purpose: forget what an earlier staging, or a merge that is done, noted of vanished records. Grain: one load.
-- Idempotency: yes. Locks: its rows.
DELETE FROM ops.sighting WHERE tenant = :tenant AND load_id = :load_id;
