-- Purpose: what is known of a source as a whole. Grain: one row, none before its first merge or judgement.
-- Idempotency: reads only. Locks: none.
SELECT
    state.records,
    state.newest_arrival_at,
    state.newest_modified_at,
    state.evaluated_at
FROM freshness.source_state AS state
WHERE state.tenant = :tenant AND state.source_id = :source_id;
