-- Purpose: keep the latest word on every record and rule that this load says is broken.
-- Grain: one record and rule. Idempotency: yes; a violation already noted by this load is not rewritten.
-- Locks: the written rows; the caller holds the tenant's merge lock.
WITH finding AS (
    SELECT DISTINCT
        r.entity,
        r.source_key,
        r.child_key,
        v.rule_id,
        v.severity
    FROM staging.violation AS v
    INNER JOIN quality.load_record AS r
        ON v.tenant = r.tenant AND v.load_id = r.load_id AND v.entity = r.entity AND v.row_no = r.row_no
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND r.tenant = :tenant AND r.load_id = :load_id
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
        severity = EXCLUDED.severity,
        first_load_id = CASE WHEN held.resolved_load_id IS NULL THEN held.first_load_id ELSE EXCLUDED.first_load_id END,
        last_load_id = EXCLUDED.last_load_id,
        resolved_load_id = NULL
WHERE held.last_load_id <> EXCLUDED.last_load_id OR held.resolved_load_id IS NOT NULL OR held.severity <> EXCLUDED.severity
