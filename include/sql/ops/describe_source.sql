-- Purpose: remember what the contract says of a source (merge reads the precedence).
-- Grain: one source. Idempotency: writes only what differs. Locks: the source's row.
INSERT INTO ops.source (tenant, source_id, title, precedence, mode, contract_hash)
VALUES (:tenant, :source_id, :title, :precedence, :mode, :contract_hash)
ON CONFLICT (tenant, source_id) DO UPDATE SET
    title = excluded.title,
    precedence = excluded.precedence,
    mode = excluded.mode,
    contract_hash = excluded.contract_hash
WHERE ops.source.contract_hash <> excluded.contract_hash;
