-- Purpose: how many staged rows of a load the gate rejects or blocks, the unit rule applied.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    (
        SELECT count(*) FROM quality.load_rejected
        WHERE tenant = :tenant AND load_id = :load_id
    ) AS rejected,
    (
        SELECT count(*) FROM quality.load_rejected_child
        WHERE tenant = :tenant AND load_id = :load_id
    ) AS rejected_children,
    (
        SELECT count(*) FROM quality.load_blocked
        WHERE tenant = :tenant AND load_id = :load_id
    ) AS blocked
