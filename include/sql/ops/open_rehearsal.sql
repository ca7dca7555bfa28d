-- Purpose: the ledger row that rules of the gate look for while a sample of a source is judged. Its id is negative, and
--          its transaction is always rolled back: no reader ever sees it.
-- Grain: one load. Idempotency: none needed. Locks: its own row.
INSERT INTO ops.load (
    load_id, tenant, source_id, run_key, kind, mode, contract_hash, observed_at, opened_at
) OVERRIDING SYSTEM VALUE
VALUES (
    :load_id,
    :tenant,
    :source_id,
    'rehearsal__' || CAST(:load_id AS text),
    :kind,
    'range',
    :contract_hash,
    :observed_at,
    :now
);
