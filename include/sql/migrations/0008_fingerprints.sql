-- Purpose: what a dossier's rows looked like as they were landed, and the record hash that was made of them: a dossier
--          that comes again with the same rows need not be made again to know that it is known.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: none that matter.

CREATE SCHEMA landing;

-- Remembered, not believed: a lost row costs time and nothing else. Hence unlogged: a crash empties the table.
CREATE TABLE landing.fingerprint (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    low bigint NOT NULL,
    high bigint NOT NULL,
    record_hash bytea NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);
COMMENT ON TABLE landing.fingerprint IS 'the record hash that a dossier''s landed rows came to, by their fingerprint';

CREATE OR REPLACE FUNCTION ops.ensure_tenant(new_tenant text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    parent record;
    partition_name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('lienthong.ensure_tenant'));
    INSERT INTO ops.tenant (tenant) VALUES (new_tenant) ON CONFLICT DO NOTHING;
    FOR parent IN
        SELECT ns.nspname AS schema_name, c.relname AS table_name
        FROM pg_partitioned_table AS p
        INNER JOIN pg_class AS c ON c.oid = p.partrelid
        INNER JOIN pg_namespace AS ns ON ns.oid = c.relnamespace
        WHERE ns.nspname IN ('landing', 'staging', 'dossier', 'quality', 'exchange', 'indices')
        ORDER BY ns.nspname, c.relname
    LOOP
        partition_name := parent.table_name || '__' || lower(new_tenant);
        IF to_regclass(format('%I.%I', parent.schema_name, partition_name)) IS NULL THEN
            -- ATTACH lets readers and writers of other tenants go on; PARTITION OF would lock them all out.
            EXECUTE format(
                'CREATE %s TABLE %I.%I (LIKE %I.%I INCLUDING ALL EXCLUDING IDENTITY)',
                CASE WHEN parent.schema_name IN ('landing', 'staging') THEN 'UNLOGGED' ELSE '' END,
                parent.schema_name, partition_name, parent.schema_name, parent.table_name
            );
            EXECUTE format(
                'ALTER TABLE %I.%I ATTACH PARTITION %I.%I FOR VALUES IN (%L)',
                parent.schema_name, parent.table_name, parent.schema_name, partition_name, new_tenant
            );
        END IF;
    END LOOP;
END;
$$;

-- Children that a later row replaces are told apart by the order of rows, which a fingerprint doesn't see.
ALTER TABLE staging.superseded ADD COLUMN source_key text;

-- Empties a tenant's staging after a load, when it has grown and no other load of the tenant has rows in it: rows that
-- were only deleted would be walked over by every later load until autovacuum comes. False, and nothing done, otherwise.
-- A load that was given up long ago and has no rows left holds nobody up, whatever its state says.
CREATE OR REPLACE FUNCTION ops.empty_staging(of_tenant text, of_load bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    partitions text;
    bytes bigint;
BEGIN
    SELECT
        string_agg(format('staging.%I', c.relname || '__' || lower(of_tenant)), ', ' ORDER BY c.relname),
        sum(pg_relation_size(to_regclass(format('staging.%I', c.relname || '__' || lower(of_tenant)))))
    INTO partitions, bytes
    FROM pg_partitioned_table AS p
    INNER JOIN pg_class AS c ON c.oid = p.partrelid
    INNER JOIN pg_namespace AS ns ON ns.oid = c.relnamespace
    WHERE ns.nspname = 'staging';
    IF bytes < 16777216 THEN
        RETURN false;
    END IF;
    BEGIN
        -- Whoever stages, judges or rehearses just now holds a lock: their rows are not ours to empty.
        EXECUTE 'LOCK TABLE ' || partitions || ' IN ACCESS EXCLUSIVE MODE NOWAIT';
        IF EXISTS (
            SELECT 1
            FROM ops.load AS l
            WHERE l.tenant = of_tenant AND l.load_id <> of_load AND l.state IN ('staged', 'gated')
        ) AND (
            EXISTS (SELECT 1 FROM staging.dossier AS s WHERE s.tenant = of_tenant AND s.load_id <> of_load)
            OR EXISTS (SELECT 1 FROM staging.step AS s WHERE s.tenant = of_tenant AND s.load_id <> of_load)
            OR EXISTS (SELECT 1 FROM staging.document AS s WHERE s.tenant = of_tenant AND s.load_id <> of_load)
            OR EXISTS (SELECT 1 FROM staging.fee AS s WHERE s.tenant = of_tenant AND s.load_id <> of_load)
        ) THEN
            RAISE EXCEPTION USING ERRCODE = 'LT001'; -- gives the locks back
        END IF;
        EXECUTE 'TRUNCATE ' || partitions;
    EXCEPTION WHEN lock_not_available OR SQLSTATE 'LT001' THEN
        RETURN false;
    END;
    RETURN true;
END;
$$;

-- Without statistics the planner took this index, by entity and rule, to look for one record's violations, and walked
-- over all that are open. Those who want them by rule read them all anyway; violation_open_dossier serves both.
DROP INDEX quality.violation_open;

-- The newest full load of a source that judged by the same rules; one row, of NULLs when there is none.
CREATE FUNCTION ops.judged_whole(of_tenant text, of_source text, of_rules text)
RETURNS TABLE (load_id bigint, judged_catalogue bigint)
LANGUAGE sql STABLE AS $$
    SELECT
        newest.load_id,
        newest.judged_catalogue
    FROM (SELECT 1) AS always
    LEFT JOIN (
        SELECT
            l.load_id,
            l.judged_catalogue
        FROM ops.load AS l
        WHERE
            l.tenant = of_tenant
            AND l.source_id = of_source
            AND l.state = 'merged'
            AND l.mode = 'full'
            AND l.judged_rules = of_rules
        ORDER BY l.load_id DESC
        LIMIT 1
    ) AS newest ON true
$$;

-- The record hash that is believed of one dossier, if it need not be judged again: nothing is wrong with it, what was
-- read is not older than it is, and the load that last judged it, or a full load since (whole_load, whole_catalogue), used
-- the same rules and a catalogue in which its procedure has not changed since. No row otherwise. OFFSET 0 keeps the planner
-- at one look by key per dossier: joined freely it guesses one row and compares all with all.
CREATE FUNCTION dossier.settled(
    of_tenant text,
    of_source text,
    of_key text,
    read_at timestamptz,
    of_recipe integer,
    of_rules text,
    whole_load bigint,
    whole_catalogue bigint
) RETURNS TABLE (record_hash bytea)
LANGUAGE sql STABLE AS $$
    SELECT believed.record_hash
    FROM dossier.source_record AS believed
    LEFT JOIN ops.load AS own
        ON own.load_id = believed.load_id AND own.state = 'merged' AND own.judged_rules = of_rules
    LEFT JOIN registry.procedure AS p ON p.procedure_code = believed.procedure_code
    WHERE
        believed.tenant = of_tenant
        AND believed.source_id = of_source
        AND believed.source_key = of_key
        AND believed.recipe = of_recipe
        AND believed.observed_at <= read_at
        AND believed.blocked_reasons = '{}'
        AND coalesce(p.revision, 0) <= greatest(
            own.judged_catalogue, CASE WHEN whole_load > believed.load_id THEN whole_catalogue END
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

SELECT ops.ensure_tenant(t.tenant)
FROM ops.tenant AS t
ORDER BY t.tenant;
