-- Purpose: remember what the contract says of a source (merge reads the precedence, scores what it can tell).
-- Grain: one source. Idempotency: writes only what differs. Locks: the source's row.
INSERT INTO ops.source (tenant, source_id, title, precedence, mode, contract_hash, capabilities)
VALUES (:tenant, :source_id, :title, :precedence, :mode, :contract_hash, CAST(:capabilities AS text []))
ON CONFLICT (tenant, source_id) DO UPDATE SET
    title = excluded.title,
    precedence = excluded.precedence,
    mode = excluded.mode,
    contract_hash = excluded.contract_hash,
    capabilities = excluded.capabilities
WHERE
    ops.source.contract_hash <> excluded.contract_hash
    OR ops.source.capabilities IS DISTINCT FROM excluded.capabilities;
