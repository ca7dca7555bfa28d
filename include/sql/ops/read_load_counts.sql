-- Purpose: the conservation ledger of one load. Grain: one row per entity. Idempotency: reads only. Locks: none.
SELECT
    c.entity,
    c.extracted,
    c.inserted,
    c.updated,
    c.unchanged,
    c.duplicate,
    c.stale,
    c.quarantined
FROM ops.load_count AS c
WHERE c.tenant = :tenant AND c.load_id = :load_id
ORDER BY c.entity;
