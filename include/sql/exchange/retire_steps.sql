-- Purpose: forget owed steps that are no longer believed. Grain: one row per step. Idempotency: yes. Locks: those rows.
DELETE FROM exchange.step_delivery AS s
USING delivery_wanted AS w
WHERE
    s.tenant = :tenant
    AND s.dossier_id = w.dossier_id
    AND w.hold IS NULL
    AND s.state = 'owed'
    AND NOT EXISTS (
        SELECT 1
        FROM step_wanted AS k
        WHERE k.dossier_id = s.dossier_id AND k.step_key = s.step_key
    );
