-- Purpose: how many dossiers of a source the gate holds back, also while none of them has a delivery that says so.
-- A dossier that is quarantined is not counted: nothing of it is believed.
-- Grain: one row. Reads only open violations, which a partial index holds. Idempotency: reads only. Locks: none.
WITH held AS (
    SELECT violation.source_key
    FROM quality.violation AS violation
    INNER JOIN ops.entity AS entity ON entity.entity = violation.entity
    WHERE
        violation.tenant = :tenant
        AND violation.source_id = :source_id
        AND violation.resolved_load_id IS NULL
        AND violation.severity IN ('block', 'reject')
    GROUP BY violation.source_key
    HAVING
        bool_or(violation.severity = 'block')
        AND NOT bool_or(violation.severity = 'reject' AND entity.is_root)
)

SELECT count(*) AS gated
FROM held;
