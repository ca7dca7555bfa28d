-- Purpose: let a source send from now on. Grain: one source. Idempotency: the first opening stays. Locks: inserts only.
INSERT INTO exchange.sender (tenant, source_id, opened_at, reason)
VALUES (:tenant, :source_id, :now, :reason)
ON CONFLICT (tenant, source_id) DO NOTHING;
