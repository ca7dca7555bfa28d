-- Purpose: about how many records of a kind (`record`: its table) are believed of a tenant, by the planner's statistics. Grain: one number; 0 or less
--          when they were never counted. Idempotency: reads only. Locks: none.
SELECT c.reltuples::bigint AS records
FROM pg_class AS c
WHERE c.oid = ops.partition_of(CAST(:record AS regclass), :tenant);
