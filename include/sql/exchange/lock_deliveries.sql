-- Purpose: lock some dossiers' deliveries before they or their steps are written,
-- in the order in which derive locks them.
-- Grain: one row per dossier. Idempotency: reads only. Locks: those rows, in key order, until the transaction ends.
SELECT x.dossier_id
FROM exchange.delivery AS x
WHERE x.tenant = :tenant AND x.dossier_id = ANY(CAST(:dossier_ids AS uuid[]))
ORDER BY x.dossier_id
FOR UPDATE;
