-- Purpose: remember that an engineer accepts whatever volume a load finds. Grain: one load.
-- Idempotency: the first word stays. Locks: none.
INSERT INTO freshness.accepted_collapse (load_id, tenant, source_id, accepted_at)
SELECT
    load.load_id,
    load.tenant,
    load.source_id,
    :now
FROM ops.load AS load
WHERE load.load_id = :load_id
ON CONFLICT (load_id) DO NOTHING;
