-- Purpose: whether the warehouse has partitions for a tenant. Grain: one row. Idempotency: reads only. Locks: none.
SELECT to_regclass('staging.dossier__' || lower(:tenant)) IS NOT NULL AS found;
