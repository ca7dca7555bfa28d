-- Purpose: which reading of a source came first, told without any clock; disputed dossier codes that heal; precedence
--          that takes effect; source records that a full load no longer found.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: builds one partial index on dossier.source_record.

-- Every reading of a source, numbered in the order in which they began: a load's extraction may be claimed more than
-- once. Numbers can't be ahead of time as a clock can.
CREATE TABLE ops.reading (
    reading_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id bigint NOT NULL,
    fence bigint NOT NULL,
    UNIQUE (load_id, fence)
);

ALTER TABLE ops.load
ADD COLUMN reading_no bigint,
ADD COLUMN clock_ahead interval;
COMMENT ON COLUMN ops.load.reading_no IS 'the reading that its oldest rows come from: a later one is newer';
COMMENT ON COLUMN ops.load.clock_ahead IS 'how far the source''s clock was ahead of ours as reading began';
COMMENT ON COLUMN ops.load.observed_at IS 'when reading began, by the source''s clock but never ahead of ours';

-- Loads of before, in the order in which they were opened.
INSERT INTO ops.reading (load_id, fence)
SELECT
    l.load_id,
    l.fence
FROM ops.load AS l
WHERE l.fence > 0
ORDER BY l.load_id;

UPDATE ops.load AS l
SET reading_no = r.reading_no
FROM ops.reading AS r
WHERE r.load_id = l.load_id AND l.state <> 'opened';

-- What a wrong clock had called the newest comes again with the next change.
UPDATE freshness.source_state
SET
    newest_arrival_at = CASE WHEN newest_arrival_at <= now() THEN newest_arrival_at END,
    newest_modified_at = CASE WHEN newest_modified_at <= now() THEN newest_modified_at END
WHERE newest_arrival_at > now() OR newest_modified_at > now();

-- The record hash that is believed of one dossier, if it need not be judged again: nothing is wrong with it, what was
-- read is not older than it is, and the load that last judged it, or a full load since (whole_load, whole_catalogue), used
-- the same rules and a catalogue in which its procedure has not changed since. No row otherwise. OFFSET 0 keeps the planner
-- at one look by key per dossier: joined freely it guesses one row and compares all with all.
DROP FUNCTION dossier.settled(text, text, text, timestamptz, integer, text, bigint, bigint);
CREATE FUNCTION dossier.settled(
    of_tenant text,
    of_source text,
    of_key text,
    of_reading bigint,
    of_recipe integer,
    of_rules text,
    whole_load bigint,
    whole_catalogue bigint
) RETURNS TABLE (record_hash bytea)
LANGUAGE sql STABLE AS $$
    SELECT believed.record_hash
    FROM dossier.source_record AS believed
    LEFT JOIN ops.load AS own ON own.load_id = believed.load_id
    LEFT JOIN registry.procedure AS p ON p.procedure_code = believed.procedure_code
    WHERE
        believed.tenant = of_tenant
        AND believed.source_id = of_source
        AND believed.source_key = of_key
        AND believed.recipe = of_recipe
        AND coalesce(own.reading_no, 0) <= coalesce(of_reading, 0)
        AND believed.blocked_reasons = '{}'
        AND coalesce(p.revision, 0) <= greatest(
            CASE WHEN own.state = 'merged' AND own.judged_rules = of_rules THEN own.judged_catalogue END,
            CASE WHEN whole_load > believed.load_id THEN whole_catalogue END
        )
        AND NOT EXISTS (
            SELECT 1
            FROM quality.violation AS v
            WHERE
                v.tenant = of_tenant
                AND v.source_id = of_source
                AND v.source_key = of_key
                AND v.resolved_load_id IS NULL
        )
    OFFSET 0
$$;

-- Records whose dossier code another dossier holds: few, and looked at by every merge.
CREATE INDEX source_record_disputed ON dossier.source_record (tenant, dossier_code)
WHERE 'dossier_code_collision' = ANY(blocked_reasons);

-- applied_precedence: by which precedence the speakers of this source's dossiers were last chosen; null: not yet.
-- removed: words of its status that mean "deleted at the source".
ALTER TABLE ops.source
ADD COLUMN applied_precedence smallint,
ADD COLUMN removed text[] NOT NULL DEFAULT '{}';

-- Believed records that a load which read everything did not find, and recorded ones that a load found again: noted when
-- it is staged, applied when it is merged. Hardly any rows, and not unlogged: nothing would notice their loss.
CREATE TABLE ops.sighting (
    load_id bigint NOT NULL,
    source_key text NOT NULL,
    seen boolean NOT NULL,
    PRIMARY KEY (load_id, source_key)
);

-- Believed records that are no longer at their source, by the word of a load that read everything. They stay believed.
CREATE TABLE dossier.vanished (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    first_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    vanished_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);
COMMENT ON COLUMN dossier.vanished.vanished_at IS 'when the first load that did not find it began to read';

-- Whether a believed record is gone from its source: a full load did not find it, or its status says "deleted". One that is
-- gone holds no dossier code that another dossier claims.
CREATE FUNCTION dossier.is_gone(
    of_tenant text, of_source text, of_key text, of_status smallint, of_status_raw text
) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1
        FROM dossier.vanished AS v
        WHERE v.tenant = of_tenant AND v.source_id = of_source AND v.source_key = of_key
    ) OR (
        of_status IS NULL
        AND EXISTS (
            SELECT 1
            FROM ops.source AS s
            WHERE
                s.tenant = of_tenant
                AND s.source_id = of_source
                AND (
                    of_status_raw = ANY(s.removed)
                    -- An OpenCPS dossier in the bin keeps its status word: `done (originality -1)`.
                    OR substring(of_status_raw FROM ' \((originality [^()]*)\)$') = ANY(s.removed)
                )
        )
    )
$$;

SELECT ops.ensure_tenant(t.tenant)
FROM ops.tenant AS t
ORDER BY t.tenant;
