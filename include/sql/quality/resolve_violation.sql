-- Purpose: close violations that this load looked at again and no longer found: of a dossier it read (with its
--   children, which are read with it), of a child it read, and, in a full load, of records without a key.
-- Grain: one record and rule. Idempotency: yes, after upsert_violation. Locks: the closed rows.
WITH still_open AS (
    SELECT
        v.entity,
        v.source_key,
        v.child_key,
        v.rule_id
    FROM quality.violation AS v
    WHERE
        v.tenant = :tenant
        AND v.source_id = :source_id
        AND v.resolved_load_id IS NULL
        AND v.last_load_id <> :load_id
),

read_again AS (
    SELECT
        o.entity,
        o.source_key,
        o.child_key,
        o.rule_id
    FROM still_open AS o
    INNER JOIN quality.load_record AS r
        ON r.tenant = :tenant AND r.load_id = :load_id AND r.entity = 'dossier' AND o.source_key = r.source_key
    WHERE o.source_key <> ''
    UNION
    SELECT
        o.entity,
        o.source_key,
        o.child_key,
        o.rule_id
    FROM still_open AS o
    INNER JOIN quality.load_record AS r
        ON
            r.tenant = :tenant
            AND r.load_id = :load_id
            AND o.entity = r.entity
            AND o.source_key = r.source_key
            AND o.child_key = r.child_key
    WHERE o.entity <> 'dossier' AND o.source_key <> '' AND o.child_key <> ''
    UNION
    SELECT
        o.entity,
        o.source_key,
        o.child_key,
        o.rule_id
    FROM still_open AS o
    INNER JOIN ops.load AS l ON l.tenant = :tenant AND l.load_id = :load_id AND l.mode = 'full'
    WHERE o.source_key = ''
)

UPDATE quality.violation AS held
SET resolved_load_id = :load_id
FROM read_again
WHERE
    held.tenant = :tenant
    AND held.source_id = :source_id
    AND held.entity = read_again.entity
    AND held.source_key = read_again.source_key
    AND held.child_key = read_again.child_key
    AND held.rule_id = read_again.rule_id
