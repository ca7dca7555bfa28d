-- Purpose: the mode of each source, as derived last. Grain: one tenant. Idempotency: reads only.
-- Locks: the row, shared: no derivation of the tenant comes between this reading and what is written from it.
SELECT modes
FROM exchange.derive_state
WHERE tenant = :tenant
FOR SHARE;
