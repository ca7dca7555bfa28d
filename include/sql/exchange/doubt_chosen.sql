-- Purpose: a person wants the portal to be looked at: acknowledged dossiers of some codes, or sent within a period. The
-- next push asks about them and owes again what differs; where a doubt is younger, when that is due.
-- Grain: one row back per dossier. Idempotency: repeating asks again. Locks: those rows in key order.
WITH chosen AS MATERIALIZED (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.state = 'acknowledged'
        AND x.mode = 'own'
        AND (CAST(:codes AS text[]) IS NULL OR x.dossier_code = ANY(CAST(:codes AS text[])))
        AND (CAST(:since AS timestamptz) IS NULL OR x.acked_at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR x.acked_at < :until)
    ORDER BY x.dossier_id
    FOR UPDATE
),
doubted AS (
    UPDATE exchange.delivery AS x SET doubted_at = greatest(x.doubted_at, CAST(:doubted_at AS timestamptz))
    FROM chosen
    WHERE x.tenant = :tenant AND x.dossier_id = chosen.dossier_id
    RETURNING x.dossier_id, x.dossier_code
),
logged AS (
    INSERT INTO exchange.decision (tenant, dossier_id, action, reason, decided_by, decided_at)
    SELECT
        :tenant,
        doubted.dossier_id,
        'look',
        :reason,
        :decided_by,
        :now
    FROM doubted
)
SELECT
    doubted.dossier_code,
    0 AS steps
FROM doubted
ORDER BY doubted.dossier_code;
