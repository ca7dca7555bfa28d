-- Purpose: record what became of the steps just sent. Grain: one row per step, only those still ours.
-- Idempotency: by state and fence. Locks: those rows.
UPDATE exchange.step_delivery AS s SET
    state = :state,
    acked_at = CASE WHEN :state = 'acknowledged' THEN CAST(:now AS timestamptz) END,
    last_outcome = :outcome,
    last_code = :code
WHERE
    s.tenant = :tenant
    AND s.dossier_id = CAST(:dossier_id AS uuid)
    AND s.step_key = ANY(CAST(:step_keys AS text[]))
    AND s.state = 'sending'
    AND s.fence = :fence
RETURNING s.step_key;
