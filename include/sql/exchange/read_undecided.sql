-- Purpose: the work list of a tenant's deliveries: parked dossiers, dossiers in doubt, and dossiers with steps that may
-- have arrived (`moments`: when these happened). Keys, codes and times only.
-- Grain: one row per dossier and kind. Cost: the partial indexes. Idempotency: reads only. Locks: none.
SELECT
    'parked' AS kind,
    x.dossier_code,
    x.source_id,
    d.source_key,
    CASE x.parked_by WHEN 'rule' THEN x.parked_for END AS rule,
    CASE WHEN x.parked_by <> 'rule' THEN x.parked_for END AS reason,
    x.parked_by AS decided_by,
    x.parked_at AS since,
    CAST('{}' AS timestamptz[]) AS moments,
    x.attempts,
    x.last_outcome,
    x.last_code
FROM exchange.delivery AS x
LEFT JOIN dossier.dossier AS d ON d.tenant = :tenant AND d.dossier_id = x.dossier_id
WHERE x.tenant = :tenant AND x.state = 'parked'
UNION ALL
SELECT
    'unsettled' AS kind,
    x.dossier_code,
    x.source_id,
    d.source_key,
    NULL AS rule,
    NULL AS reason,
    NULL AS decided_by,
    x.sent_at AS since,
    CAST('{}' AS timestamptz[]) AS moments,
    x.attempts,
    x.last_outcome,
    x.last_code
FROM exchange.delivery AS x
LEFT JOIN dossier.dossier AS d ON d.tenant = :tenant AND d.dossier_id = x.dossier_id
WHERE x.tenant = :tenant AND x.state = 'unsettled'
UNION ALL
SELECT
    'steps' AS kind,
    x.dossier_code,
    x.source_id,
    d.source_key,
    NULL AS rule,
    NULL AS reason,
    NULL AS decided_by,
    doubtful.since,
    doubtful.moments,
    doubtful.attempts,
    doubtful.last_outcome,
    doubtful.last_code
FROM (
    SELECT
        s.dossier_id,
        array_agg(s.occurred_at ORDER BY s.occurred_at, s.step_key) AS moments,
        min(coalesce(s.sent_at, s.occurred_at)) AS since,
        max(s.attempts) AS attempts,
        max(s.last_outcome) AS last_outcome,
        max(s.last_code) AS last_code
    FROM exchange.step_delivery AS s
    WHERE s.tenant = :tenant AND s.state = 'unsettled'
    GROUP BY s.dossier_id
) AS doubtful
INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = doubtful.dossier_id
LEFT JOIN dossier.dossier AS d ON d.tenant = :tenant AND d.dossier_id = x.dossier_id
ORDER BY kind, since, dossier_code;
