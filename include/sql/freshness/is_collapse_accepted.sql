-- Purpose: whether an engineer accepts whatever volume a load finds. Grain: one row. Idempotency: reads only. Locks: none.
SELECT EXISTS (SELECT 1 FROM freshness.accepted_collapse AS accepted WHERE accepted.load_id = :load_id) AS accepted;
