-- Purpose: let one run of the gate at a time write about this load; the next one then sees what it replaces.
-- Grain: one lock. Idempotency: reads only. Locks: an advisory lock per load, until the transaction ends.
SELECT pg_advisory_xact_lock(
    hashtextextended('quality.gate/' || CAST(:tenant AS text) || '/' || CAST(:load_id AS text), 0)
)
