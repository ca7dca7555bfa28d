-- Purpose: count a try for doubtful steps that it did not settle although the portal answered others; what was tried too
-- often is left to people.
-- Grain: one row per step that is still doubtful. Idempotency: none, callers count each drain once. Locks: those rows.
UPDATE exchange.step_delivery AS s SET attempts = s.attempts + 1
FROM unnest(CAST(:dossier_ids AS uuid[]), CAST(:step_keys AS text[])) AS tried (dossier_id, step_key)
WHERE
    s.tenant = :tenant AND s.dossier_id = tried.dossier_id AND s.step_key = tried.step_key AND s.state = 'unsettled';
