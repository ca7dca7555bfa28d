-- Purpose: steps that a dead drain had put on the wire can't be known to have arrived: unsettled.
-- Grain: one row per step. Idempotency: yes. Locks: those rows; the caller holds the dossiers' leases.
UPDATE exchange.step_delivery AS s SET
    state = 'unsettled',
    last_outcome = 'unknown'
WHERE s.tenant = :tenant AND s.dossier_id = ANY(CAST(:dossier_ids AS uuid[])) AND s.state = 'sending';
