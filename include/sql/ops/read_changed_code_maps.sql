-- Purpose: sources some of whose rows were read with other code maps than those of now, for people.
-- Grain: one row per source. Idempotency: reads only. Locks: none.
SELECT
    s.tenant,
    s.source_id,
    s.changed_load_id,
    s.settled_load_id
FROM ops.source_codes AS s
WHERE s.changed_load_id IS NOT NULL
ORDER BY s.tenant, s.source_id;
