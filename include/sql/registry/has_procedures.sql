-- Purpose: whether the national catalogue has ever been synced. Grain: one row. Idempotency: reads only. Locks: none.
SELECT EXISTS (SELECT 1 FROM registry.procedure) AS synced;
