-- Made by `make sql` from upsert_violation.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: keep the latest word on every record and rule that this load says is broken.
-- Grain: one record and rule; rows that merge set aside as duplicate or stale say nothing. Idempotency: yes; a violation
--   already noted by this load is not rewritten. Locks: the written rows; the caller holds the tenant's merge lock.
WITH set_aside_row AS (
    SELECT row_no
    FROM staging.verdict
    WHERE tenant = :tenant AND load_id = :load_id AND outcome IN ('duplicate', 'stale')
),
set_aside_key AS (
    SELECT source_key
    FROM staging.verdict
    WHERE tenant = :tenant AND load_id = :load_id AND source_key IS NOT NULL
    GROUP BY source_key
    HAVING bool_and(outcome IN ('duplicate', 'stale'))
),
finding AS (
    SELECT DISTINCT
        v.entity,
        CASE WHEN btrim(coalesce(v.source_key, '')) = '' THEN '' ELSE v.source_key END AS source_key,
        CASE
            WHEN v.entity = 'rating' OR btrim(coalesce(v.child_key, '')) = '' THEN ''
            ELSE v.child_key
        END AS child_key,
        v.rule_id,
        v.severity
    FROM staging.violation AS v
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND CASE
            WHEN v.entity = 'rating'
                THEN NOT EXISTS (SELECT FROM set_aside_row AS s WHERE s.row_no = v.row_no)
            ELSE NOT EXISTS (SELECT FROM set_aside_key AS s WHERE s.source_key = v.source_key)
        END
)
INSERT INTO quality.violation AS held (
    tenant,
    source_id,
    entity,
    source_key,
    child_key,
    rule_id,
    severity,
    first_load_id,
    last_load_id
)
SELECT
    :tenant,
    :source_id,
    finding.entity,
    finding.source_key,
    finding.child_key,
    finding.rule_id,
    finding.severity,
    :load_id,
    :load_id
FROM finding
ON CONFLICT (tenant, source_id, entity, source_key, child_key, rule_id) DO UPDATE
    SET
        severity = excluded.severity,
        first_load_id = CASE WHEN held.resolved_load_id IS NULL THEN held.first_load_id ELSE excluded.first_load_id END,
        last_load_id = excluded.last_load_id,
        resolved_load_id = NULL
WHERE
    held.last_load_id <> excluded.last_load_id
    OR held.resolved_load_id IS NOT NULL
    OR held.severity <> excluded.severity;
