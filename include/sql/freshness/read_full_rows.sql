-- Purpose: how many dossier rows a full load of a source should find. Grain: one row, none before the first merge.
-- Idempotency: reads only. Locks: none.
SELECT state.full_rows
FROM freshness.source_state AS state
WHERE state.tenant = :tenant AND state.source_id = :source_id;
