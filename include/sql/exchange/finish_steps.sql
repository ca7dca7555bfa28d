-- Purpose: record what became of steps that were sent, or of doubtful ones that the portal was asked about.
-- Grain: one row per step that is still ours. `delay_s`: when a doubtful step may be tried again;
-- what the try counts for is decided when the drain ends (count_step_doubts).
-- Idempotency: by state and fence. Locks: those rows; the caller has locked their dossiers.
UPDATE exchange.step_delivery AS s SET
    state = done.state,
    acked_at = CASE WHEN done.state = 'acknowledged' THEN CAST(:now AS timestamptz) ELSE s.acked_at END,
    attempts = CASE done.state WHEN 'acknowledged' THEN 0 ELSE s.attempts END,
    next_attempt_at = CASE
        WHEN done.state = 'unsettled' THEN CAST(:now AS timestamptz) + done.delay_s * interval '1 second'
    END,
    last_outcome = done.outcome,
    last_code = done.code
FROM unnest(
    CAST(:dossier_ids AS uuid[]),
    CAST(:fences AS bigint[]),
    CAST(:step_keys AS text[]),
    CAST(:states AS text[]),
    CAST(:outcomes AS text[]),
    CAST(:codes AS text[]),
    CAST(:delays_s AS double precision[])
) AS done (dossier_id, fence, step_key, state, outcome, code, delay_s)
INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = done.dossier_id AND x.fence = done.fence
WHERE
    s.tenant = :tenant
    AND s.dossier_id = done.dossier_id
    AND s.step_key = done.step_key
    AND (s.state = 'unsettled' OR (s.state = 'sending' AND s.fence = done.fence))
RETURNING s.dossier_id::text AS dossier_id, s.step_key, s.state;
