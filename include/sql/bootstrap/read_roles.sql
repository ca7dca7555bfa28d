-- Purpose: which of the named roles this server has. Grain: one role. Idempotency: reads only. Locks: none.
SELECT r.rolname
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = ANY(CAST(:groups AS text[]));
