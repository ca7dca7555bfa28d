-- Purpose: how far the tenant's deliveries were derived, and how far they could be.
-- Grain: one row. Merges and catalogue syncs become visible in the order of their numbers: each holds its lock until it
-- commits. Idempotency: reads only. Locks: the row, until the transaction ends.
SELECT
    s.merge_no,
    s.revision,
    s.modes,
    t.merges AS newest_merge_no,
    (
        SELECT coalesce(max(revision), 0)
        FROM registry.procedure
    ) AS newest_revision
FROM exchange.derive_state AS s
INNER JOIN ops.tenant AS t ON t.tenant = s.tenant
WHERE s.tenant = :tenant
FOR UPDATE OF s;
