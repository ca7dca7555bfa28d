-- Purpose: what a load needs to work on changes only: hashes of staged dossiers before the gate, what a load set aside
--          as known, and by which rules and catalogue it judged the rest. The gate reads one load through views.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: none that matter.

-- The hash of every staged dossier row; `doubtful` rows are judged again whatever their hash says.
CREATE TABLE staging.digest (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_key text,
    record_hash bytea NOT NULL,
    doubtful boolean NOT NULL
) PARTITION BY LIST (tenant);

-- Rows of children that a later row of the same load replaces: the last word counts. Almost always empty.
CREATE TABLE staging.superseded (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    entity text NOT NULL,
    row_no bigint NOT NULL
) PARTITION BY LIST (tenant);

ALTER TABLE ops.load
ADD COLUMN set_aside jsonb,
ADD COLUMN judged_rules text,
ADD COLUMN judged_catalogue bigint,
ADD COLUMN staged_after bigint;
COMMENT ON COLUMN ops.load.set_aside IS 'rows per entity that were known already and never reached the gate';
COMMENT ON COLUMN ops.load.judged_rules IS 'digest of the expectations this load was judged by';
COMMENT ON COLUMN ops.load.judged_catalogue IS 'revision of the national catalogue it was judged by, at least';
COMMENT ON COLUMN ops.load.staged_after IS 'newest merge of the source when it was staged: a later one stages it again';

-- Statistics of what was just staged, from a small sample: sizes and widths are what the planner needs here.
CREATE OR REPLACE FUNCTION ops.analyze_staging(of_tenant text, tables text []) RETURNS void
LANGUAGE plpgsql SET default_statistics_target = 10 AS $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY tables LOOP
        EXECUTE format('ANALYZE staging.%I', table_name || '__' || lower(of_tenant));
    END LOOP;
END;
$$;

-- Empties a tenant's staging after a load, when it has grown and no other load of the tenant has rows in it: rows that
-- were only deleted would be walked over by every later load until autovacuum comes. False, and nothing done, otherwise.
CREATE FUNCTION ops.empty_staging(of_tenant text, of_load bigint) RETURNS boolean
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
    IF bytes < 16777216 OR EXISTS (
        SELECT 1
        FROM ops.load AS l
        WHERE l.tenant = of_tenant AND l.load_id <> of_load AND l.state IN ('staged', 'gated')
    ) THEN
        RETURN false;
    END IF;
    BEGIN
        -- Whoever stages, judges or rehearses just now holds a lock: their rows are not ours to empty.
        EXECUTE 'LOCK TABLE ' || partitions || ' IN ACCESS EXCLUSIVE MODE NOWAIT';
    EXCEPTION WHEN lock_not_available THEN
        RETURN false;
    END;
    EXECUTE 'TRUNCATE ' || partitions;
    RETURN true;
END;
$$;

-- Statistics of what is believed, when a load changed much of it: autovacuum comes minutes later, the next load now.
CREATE FUNCTION ops.analyze_believed(of_tenant text) RETURNS void
LANGUAGE plpgsql SET default_statistics_target = 20 AS $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['source_record', 'person', 'step', 'document', 'fee', 'dossier'] LOOP
        EXECUTE format('ANALYZE dossier.%I', table_name || '__' || lower(of_tenant));
    END LOOP;
END;
$$;

-- The rows that the gate looks at: those of one load, named by settings of the session. Great Expectations then reads
-- a table's columns from the catalogue; from the text of a query it would read all rows to learn them.
CREATE VIEW staging.gate_dossier AS
SELECT
    d.*,
    NULL::text AS child_key
FROM staging.dossier AS d
WHERE
    d.tenant = current_setting('lienthong.tenant')
    AND d.load_id = current_setting('lienthong.load_id')::bigint;

CREATE VIEW staging.gate_step AS
SELECT c.*
FROM staging.step AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

CREATE VIEW staging.gate_document AS
SELECT c.*
FROM staging.document AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

CREATE VIEW staging.gate_fee AS
SELECT c.*
FROM staging.fee AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

SELECT ops.ensure_tenant(t.tenant)
FROM ops.tenant AS t
ORDER BY t.tenant;
