-- Purpose: a person sets deliveries aside: those of some codes, or (no codes) all that would be sent now. What is on the
-- wire at this moment is still recorded when its answer comes.
-- Grain: one row back per parked dossier. Idempotency: parked ones are left alone. Locks: those rows in key order.
WITH chosen AS MATERIALIZED (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.parked_at IS NULL
        AND CASE
            WHEN CAST(:codes AS text[]) IS NULL THEN x.state IN ('owed', 'unsettled', 'sending')
            ELSE x.dossier_code = ANY(CAST(:codes AS text[]))
        END
    ORDER BY x.dossier_id
    FOR UPDATE
),
parked AS (
    UPDATE exchange.delivery AS x SET
        parked_at = :now,
        parked_for = :reason,
        parked_by = :decided_by
    FROM chosen
    WHERE x.tenant = :tenant AND x.dossier_id = chosen.dossier_id
    RETURNING x.dossier_id, x.dossier_code
),
logged AS (
    INSERT INTO exchange.decision (tenant, dossier_id, action, reason, decided_by, decided_at)
    SELECT
        :tenant,
        parked.dossier_id,
        'park',
        :reason,
        :decided_by,
        :now
    FROM parked
)
SELECT
    parked.dossier_code,
    0 AS steps
FROM parked
ORDER BY parked.dossier_code;
