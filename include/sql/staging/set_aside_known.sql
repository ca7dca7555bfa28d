-- Purpose: take out of staging what the warehouse already believes, so that gate and merge work on what changed only.
--          A dossier is set aside with its children when its record is believed with the same hash, nothing is wrong
--          with it, and the load that last judged it used the same rules and a catalogue in which its procedure has
--          not changed since. Everything else stays: what is in doubt is judged again.
-- Grain: one row of counts per call. Idempotency: a second call finds nothing more. Locks: the deleted rows, of this
--        load only.
WITH judging AS (
    SELECT
        l.load_id,
        l.mode,
        l.judged_catalogue
    FROM ops.load AS l
    WHERE
        l.tenant = :tenant
        AND l.source_id = :source_id
        AND l.state = 'merged'
        AND l.judged_rules = :judged_rules
),
whole AS (
    SELECT
        load_id,
        judged_catalogue
    FROM judging
    WHERE mode = 'full'
    ORDER BY load_id DESC
    LIMIT 1
),
twin AS (
    SELECT g.source_key
    FROM staging.digest AS g
    WHERE g.tenant = :tenant AND g.load_id = :load_id
    GROUP BY g.source_key
    HAVING count(*) > 1
),
known AS MATERIALIZED (
    SELECT d.source_key
    FROM staging.digest AS g
    INNER JOIN staging.dossier AS d
        ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = g.row_no
    INNER JOIN dossier.source_record AS believed
        ON
            believed.tenant = :tenant
            AND believed.source_id = :source_id
            AND believed.source_key = g.source_key
            AND believed.record_hash = g.record_hash
    LEFT JOIN judging AS own ON own.load_id = believed.load_id
    LEFT JOIN whole ON whole.load_id > believed.load_id
    LEFT JOIN registry.procedure AS p ON p.procedure_code = d.procedure_code
    WHERE
        g.tenant = :tenant
        AND g.load_id = :load_id
        AND NOT g.doubtful
        AND believed.recipe = :recipe
        AND believed.observed_at <= :observed_at
        AND believed.blocked_reasons = '{}'
        AND coalesce(p.revision, 0) <= greatest(own.judged_catalogue, whole.judged_catalogue)
        AND NOT EXISTS (SELECT 1 FROM twin WHERE twin.source_key = g.source_key)
        AND NOT EXISTS (
            SELECT 1
            FROM quality.violation AS v
            WHERE
                v.tenant = :tenant
                AND v.source_id = :source_id
                AND v.source_key = g.source_key
                AND v.resolved_load_id IS NULL
        )
),
digests AS (
    DELETE FROM staging.digest AS s USING known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
),
dossiers AS (
    DELETE FROM staging.dossier AS s USING known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
steps AS (
    DELETE FROM staging.step AS s USING known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
documents AS (
    DELETE FROM staging.document AS s USING known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
),
fees AS (
    DELETE FROM staging.fee AS s USING known
    WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.source_key = known.source_key
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM dossiers) AS dossier,
    (SELECT count(*) FROM steps) AS step,
    (SELECT count(*) FROM documents) AS document,
    (SELECT count(*) FROM fees) AS fee;
