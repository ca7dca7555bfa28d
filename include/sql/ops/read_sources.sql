-- Purpose: what the ledger last knew of every source: for contracts that can't be read at this moment.
-- Grain: one row per source. Idempotency: reads only. Locks: none.
SELECT
    s.tenant,
    s.source_id,
    s.mode,
    s.covers
FROM ops.source AS s
ORDER BY s.tenant, s.source_id;
