-- Purpose: let out of quarantine what this load read again without rejecting it: a dossier, the children of a dossier,
--   a child, and, in a full load, records without a key.
-- Grain: one quarantined unit. Idempotency: yes, after upsert_quarantine. Locks: the released rows.
WITH still_open AS (
    SELECT
        q.entity,
        q.source_key,
        q.child_key,
        q.fingerprint
    FROM quality.quarantine AS q
    WHERE q.tenant = :tenant AND q.source_id = :source_id AND q.state = 'open' AND q.last_load_id <> :load_id
),

read_again AS (
    SELECT o.*
    FROM still_open AS o
    INNER JOIN quality.load_record AS r
        ON r.tenant = :tenant AND r.load_id = :load_id AND r.entity = 'dossier' AND o.source_key = r.source_key
    WHERE o.source_key <> ''
    UNION
    SELECT o.*
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
    SELECT o.*
    FROM still_open AS o
    INNER JOIN ops.load AS l ON l.tenant = :tenant AND l.load_id = :load_id AND l.mode = 'full'
    WHERE o.source_key = ''
)

UPDATE quality.quarantine AS held
SET
    state = 'released',
    released_load_id = :load_id,
    released_at = :now
FROM read_again
WHERE
    held.tenant = :tenant
    AND held.source_id = :source_id
    AND held.entity = read_again.entity
    AND held.source_key = read_again.source_key
    AND held.child_key = read_again.child_key
    AND held.fingerprint = read_again.fingerprint
    AND held.state = 'open'
