-- Purpose: how many dossiers of a load have a warning, by their own rows or their children's.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT count(DISTINCT v.source_key) AS warned
FROM staging.violation AS v
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.severity = 'warn';
