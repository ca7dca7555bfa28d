-- Purpose: write down which steps are about to be sent, before they are sent.
-- Grain: one row per step that is still owed.
-- Idempotency: by state. Locks: those rows; the caller has renewed the dossier's lease in this transaction.
UPDATE exchange.step_delivery AS s SET
    state = 'sending',
    fence = :fence,
    step_hash = sent.step_hash,
    sent_at = :now
FROM unnest(CAST(:step_keys AS text[]), CAST(:hashes AS bytea[])) AS sent (step_key, step_hash)
WHERE
    s.tenant = :tenant
    AND s.dossier_id = CAST(:dossier_id AS uuid)
    AND s.step_key = sent.step_key
    AND s.state = 'owed'
RETURNING s.step_key;
