-- Purpose: forget owed steps of a leased dossier that nobody believes any more (a doubtful one that was to be sent again).
-- Only while the delivery is derived from the version that was read: a newer one may owe steps that we don't know.
-- Grain: one row per step. Idempotency: yes. Locks: those rows; the caller has locked their dossier.
DELETE FROM exchange.step_delivery AS s
USING exchange.delivery AS x
WHERE
    s.tenant = :tenant
    AND s.dossier_id = CAST(:dossier_id AS uuid)
    AND s.step_key = ANY(CAST(:step_keys AS text[]))
    AND s.state = 'owed'
    AND x.tenant = :tenant
    AND x.dossier_id = s.dossier_id
    AND x.fence = :fence
    AND x.derived_version = :version;
