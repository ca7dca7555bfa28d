-- Purpose: remember what the contract says of a source (merge reads the precedence and the words for "removed").
-- Grain: one source. Idempotency: writes only what differs. Locks: the source's row.
INSERT INTO ops.source (tenant, source_id, title, precedence, mode, contract_hash, removed)
VALUES (:tenant, :source_id, :title, :precedence, :mode, :contract_hash, CAST(:removed AS text []))
ON CONFLICT (tenant, source_id) DO UPDATE SET
    title = excluded.title,
    precedence = excluded.precedence,
    mode = excluded.mode,
    contract_hash = excluded.contract_hash,
    removed = excluded.removed
WHERE
    (ops.source.title, ops.source.precedence, ops.source.mode, ops.source.contract_hash, ops.source.removed)
    IS DISTINCT FROM
    (excluded.title, excluded.precedence, excluded.mode, excluded.contract_hash, excluded.removed);
