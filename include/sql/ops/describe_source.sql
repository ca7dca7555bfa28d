-- Purpose: remember what the contract says of a source (merge reads the precedence and the words for "removed", scores
-- what it can tell, push what a ministry sends when the contract can't be read).
-- Grain: one source. Idempotency: writes only what differs. Locks: the source's row.
INSERT INTO ops.source (
    tenant,
    source_id,
    kind,
    title,
    precedence,
    mode,
    contract_hash,
    removed,
    capabilities,
    sent_by,
    covers
)
VALUES (
    :tenant,
    :source_id,
    :kind,
    :title,
    :precedence,
    :mode,
    :contract_hash,
    CAST(:removed AS text []),
    CAST(:capabilities AS text []),
    :sent_by,
    CAST(:covers AS text [])
)
ON CONFLICT (tenant, source_id) DO UPDATE SET
    title = excluded.title,
    precedence = excluded.precedence,
    mode = excluded.mode,
    contract_hash = excluded.contract_hash,
    removed = excluded.removed,
    capabilities = excluded.capabilities,
    sent_by = excluded.sent_by,
    covers = excluded.covers
WHERE
    (
        ops.source.title,
        ops.source.precedence,
        ops.source.mode,
        ops.source.contract_hash,
        ops.source.removed,
        ops.source.capabilities,
        ops.source.sent_by,
        ops.source.covers
    )
    IS DISTINCT FROM
    (
        excluded.title,
        excluded.precedence,
        excluded.mode,
        excluded.contract_hash,
        excluded.removed,
        excluded.capabilities,
        excluded.sent_by,
        excluded.covers
    );
