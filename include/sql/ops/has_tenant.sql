-- Purpose: whether the warehouse has partitions for a tenant. Grain: one row. Idempotency: reads only. Locks: none.
SELECT ops.partition_of('staging.dossier', :tenant) IS NOT NULL AS found;
