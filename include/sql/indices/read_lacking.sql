-- Purpose: which of the given capabilities none of a tenant's sources has. A source counts from its first merged load on;
--          one that was never described may tell everything.
-- Grain: one capability. Idempotency: reads. Locks: none.
WITH loaded AS (
    SELECT source.capabilities
    FROM ops.source AS source
    WHERE source.tenant = :tenant
        AND EXISTS (
            SELECT 1
            FROM ops.load AS load
            WHERE load.tenant = source.tenant
                AND load.source_id = source.source_id
                AND load.state = 'merged'
        )
)
SELECT wanted.capability
FROM unnest(CAST(:capabilities AS text[])) AS wanted (capability)
WHERE EXISTS (SELECT 1 FROM loaded)
    AND NOT EXISTS (
        SELECT 1
        FROM loaded
        WHERE loaded.capabilities IS NULL
            OR wanted.capability = ANY(loaded.capabilities)
    )
ORDER BY wanted.capability
