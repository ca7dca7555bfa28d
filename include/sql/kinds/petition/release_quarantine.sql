-- Made by `make sql` from release_quarantine.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: let out of quarantine what this load read again without rejecting it: a petition, the children of a petition,
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
read_key AS (
    SELECT DISTINCT g.source_key
    FROM staging.digest AS g
    WHERE
        g.tenant = :tenant
        AND g.load_id = :load_id
        AND NOT EXISTS (
            SELECT
            FROM staging.verdict AS s
            WHERE
                s.tenant = :tenant
                AND s.load_id = :load_id
                AND s.row_no = g.row_no
                AND s.outcome IN ('duplicate', 'stale')
        )
),
set_aside_key AS (
    SELECT v.source_key
    FROM staging.verdict AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.source_key IS NOT NULL
    GROUP BY v.source_key
    HAVING bool_and(v.outcome IN ('duplicate', 'stale'))
),
read_again AS (
    SELECT o.*
    FROM still_open AS o
    INNER JOIN read_key AS r ON r.source_key = o.source_key
    WHERE o.source_key <> ''
    UNION
    SELECT o.*
    FROM still_open AS o
    INNER JOIN staging.petition_step AS c
        ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = o.source_key AND c.child_key = o.child_key
    WHERE
        o.entity = 'petition_step'
        AND o.source_key <> ''
        AND o.child_key <> ''
        AND NOT EXISTS (SELECT FROM set_aside_key AS s WHERE s.source_key = c.source_key)
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
    AND held.state = 'open';
