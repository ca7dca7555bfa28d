-- Purpose: a person decides about steps that may have arrived: they did (`arrived`), or they are sent again (`resend`).
-- Grain: one row back per dossier with its number of steps. No codes: all of the tenant; a code with a moment means its
-- steps of that second only. A dossier that a drain works on at this moment is left alone.
-- Idempotency: settled steps are left alone. Locks: the dossiers' rows in key order.
WITH named AS (
    SELECT
        one.code,
        one.moment
    FROM unnest(CAST(:codes AS text[]), CAST(:moments AS timestamptz[])) AS one (code, moment)
),
chosen AS MATERIALIZED (
    SELECT
        x.dossier_id,
        x.dossier_code
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.lease_until IS NULL
        AND (CAST(:codes AS text[]) IS NULL OR x.dossier_code = ANY(CAST(:codes AS text[])))
        AND EXISTS (
            SELECT 1
            FROM exchange.step_delivery AS s
            WHERE s.tenant = :tenant AND s.dossier_id = x.dossier_id AND s.state = 'unsettled'
        )
    ORDER BY x.dossier_id
    FOR UPDATE
),
settled AS (
    UPDATE exchange.step_delivery AS s SET
        state = CASE CAST(:action AS text) WHEN 'arrived' THEN 'acknowledged' ELSE 'owed' END,
        acked_at = CASE CAST(:action AS text) WHEN 'arrived' THEN CAST(:now AS timestamptz) END,
        attempts = 0,
        next_attempt_at = NULL,
        last_outcome = 'decided'
    FROM chosen
    WHERE
        s.tenant = :tenant
        AND s.dossier_id = chosen.dossier_id
        AND s.state = 'unsettled'
        AND (
            CAST(:codes AS text[]) IS NULL
            OR EXISTS (
                SELECT 1
                FROM named
                WHERE
                    named.code = chosen.dossier_code
                    AND coalesce(date_trunc('second', named.moment) = date_trunc('second', s.occurred_at), TRUE)
            )
        )
    RETURNING s.dossier_id
),
counted AS (
    SELECT
        chosen.dossier_id,
        chosen.dossier_code,
        count(*) AS steps
    FROM settled
    INNER JOIN chosen ON chosen.dossier_id = settled.dossier_id
    GROUP BY chosen.dossier_id, chosen.dossier_code
),
logged AS (
    INSERT INTO exchange.decision (tenant, dossier_id, action, reason, decided_by, decided_at, steps)
    SELECT
        :tenant,
        counted.dossier_id,
        :action,
        :reason,
        :decided_by,
        :now,
        counted.steps
    FROM counted
)
SELECT
    counted.dossier_code,
    counted.steps
FROM counted
ORDER BY counted.dossier_code;
