-- Purpose: the row that lock_derive_state locks. Grain: one tenant. Idempotency: an existing row is left alone.
-- Locks: inserts only.
INSERT INTO exchange.derive_state (tenant) VALUES (:tenant)
ON CONFLICT (tenant) DO NOTHING;
