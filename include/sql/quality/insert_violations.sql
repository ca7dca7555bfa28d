-- Purpose: keep every row of a load that breaks one rule. The query in braces is the rule's own: the same file, or the
--   same condition, that Great Expectations counted with.
-- Grain: one failing row. Idempotency: after delete_load_violations, in its transaction. Locks: none.
INSERT INTO staging.violation (tenant, load_id, entity, row_no, source_key, child_key, rule_id, severity)
SELECT
    :tenant,
    :load_id,
    :entity,
    failing.row_no,
    failing.source_key,
    failing.child_key,
    :rule_id,
    :severity
FROM (
    {failing_rows}
) AS failing
