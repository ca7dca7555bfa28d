-- Purpose: take one page of the work list, after a key; derived in the same transaction or back on the list.
-- Grain: one row per dossier. Idempotency: each run takes other rows. Locks: those rows; the caller holds derive_state.
WITH page AS (
    SELECT s.dossier_id
    FROM exchange.stale AS s
    WHERE s.tenant = :tenant AND s.dossier_id > CAST(:after AS uuid)
    ORDER BY s.dossier_id
    LIMIT :page_size
)
DELETE FROM exchange.stale AS s
USING page
WHERE s.tenant = :tenant AND s.dossier_id = page.dossier_id
RETURNING s.dossier_id::text AS dossier_id;
