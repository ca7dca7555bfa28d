-- Purpose: say why a step of a load failed; the state stays, so that the next try goes on from there.
-- Grain: one load. Idempotency: the last error wins. Locks: the load's row.
UPDATE ops.load
SET error = :error, failed_at = :now
WHERE load_id = :load_id AND state <> 'merged';
