-- Purpose: parked deliveries go on: those of some codes, or (no codes) all, of one rule or of any. Their tries count anew.
-- Grain: one row back per resumed dossier. Idempotency: others are left alone. Locks: those rows in key order.
WITH chosen AS MATERIALIZED (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.state = 'parked'
        AND (CAST(:codes AS text[]) IS NULL OR x.dossier_code = ANY(CAST(:codes AS text[])))
        AND (CAST(:rule AS text) IS NULL OR (x.parked_by = 'rule' AND x.parked_for = :rule))
    ORDER BY x.dossier_id
    FOR UPDATE
),
resumed AS (
    UPDATE exchange.delivery AS x SET
        parked_at = NULL,
        parked_for = NULL,
        parked_by = NULL,
        attempts = 0,
        next_attempt_at = NULL
    FROM chosen
    WHERE x.tenant = :tenant AND x.dossier_id = chosen.dossier_id
    RETURNING x.dossier_id, x.dossier_code
),
logged AS (
    INSERT INTO exchange.decision (tenant, dossier_id, action, reason, decided_by, decided_at)
    SELECT
        :tenant,
        resumed.dossier_id,
        'resume',
        :reason,
        :decided_by,
        :now
    FROM resumed
)
SELECT
    resumed.dossier_code,
    0 AS steps
FROM resumed
ORDER BY resumed.dossier_code;
