-- Purpose: other kinds of records than dossiers (petition, rating), and what the ledger and the gate know of kinds.
-- Grain: see each table. Large tables are LIST-partitioned by tenant; ops.ensure_tenant makes the partitions.
-- Idempotency: run once by Alembic. Locks: short ones on reference tables; no table of dossiers is rewritten.

-- What entities there are (model/kinds): `is_root` are the records themselves, the others their children.
CREATE TABLE ops.entity (
    entity text PRIMARY KEY,
    kind text NOT NULL,
    is_root boolean NOT NULL
);
INSERT INTO ops.entity (entity, kind, is_root)
VALUES
    ('dossier', 'dossier', true),
    ('step', 'dossier', false),
    ('document', 'dossier', false),
    ('fee', 'dossier', false),
    ('petition', 'petition', true),
    ('petition_step', 'petition', false),
    ('rating', 'rating', true),
    ('rating_mark', 'rating', false);

-- A source is one kind of record of one system. Only dossiers have a mode and a precedence.
ALTER TABLE ops.source
ADD COLUMN kind text NOT NULL DEFAULT 'dossier',
ALTER COLUMN precedence DROP NOT NULL,
ALTER COLUMN mode DROP NOT NULL;

ALTER TABLE ops.load ADD COLUMN kind text NOT NULL DEFAULT 'dossier';

-- Keys are text, whatever the source thinks they are.
ALTER TABLE ops.watermark ALTER COLUMN last_key TYPE text;

-- Which entities a rule can be about, the suites say.
ALTER TABLE quality.rule DROP CONSTRAINT rule_entity_check;

-- The unit rule is written out in the statements of each kind (include/sql/kinds).
DROP VIEW quality.load_rejected_child;
DROP VIEW quality.load_rejected;
DROP VIEW quality.load_blocked;
DROP VIEW quality.load_record;
DROP FUNCTION dossier.settled(text, text, text, bigint, integer, text, bigint, bigint);

-- petition -----------------------------------------------------------------------------------------------------------

CREATE SCHEMA petition;

CREATE TABLE staging.petition (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    petition_code text,
    origin_code text,
    classification smallint,
    classification_raw text,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    status smallint,
    status_raw text,
    sent_at timestamptz,
    transferred_at timestamptz,
    supplement_asked_at timestamptz,
    answered_at timestamptz,
    published_at timestamptz,
    refused_at timestamptz,
    due_at timestamptz,
    likes bigint,
    dislikes bigint,
    complained_again boolean,
    dossier_code text,
    sender_name text,
    sender_phone text,
    sender_email text,
    sender_address text,
    title text,
    content text,
    answer text,
    source_modified_at timestamptz,
    was_not_nfc boolean
) PARTITION BY LIST (tenant);

CREATE VIEW staging.gate_petition AS
SELECT
    c.*,
    NULL::text AS child_key
FROM staging.petition AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

CREATE TABLE staging.petition_step (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    child_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    step_no bigint,
    status smallint,
    status_raw text,
    occurred_at timestamptz,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    actor_name text,
    content text
) PARTITION BY LIST (tenant);

CREATE VIEW staging.gate_petition_step AS
SELECT c.*
FROM staging.petition_step AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

CREATE TABLE petition.source_record (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    version bigint NOT NULL,
    record_hash bytea NOT NULL,
    recipe smallint NOT NULL,
    blocked_reasons text[] NOT NULL DEFAULT '{}',
    observed_at timestamptz NOT NULL,
    load_id bigint NOT NULL,
    petition_code text,
    origin_code text,
    classification smallint,
    classification_raw text,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    status smallint,
    status_raw text,
    sent_at timestamptz,
    transferred_at timestamptz,
    supplement_asked_at timestamptz,
    answered_at timestamptz,
    published_at timestamptz,
    refused_at timestamptz,
    due_at timestamptz,
    likes bigint,
    dislikes bigint,
    complained_again boolean,
    dossier_code text,
    source_modified_at timestamptz,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);

CREATE TABLE petition.person (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    version bigint NOT NULL,
    sender_name text,
    sender_phone text,
    sender_email text,
    sender_address text,
    title text,
    content text,
    answer text,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);
COMMENT ON TABLE petition.person IS 'personal';

CREATE TABLE petition.petition_step (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    version bigint NOT NULL,
    step_no bigint,
    status smallint,
    status_raw text,
    occurred_at timestamptz,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    actor_name text,
    content text,
    PRIMARY KEY (tenant, source_id, source_key, child_key)
) PARTITION BY LIST (tenant);
COMMENT ON COLUMN petition.petition_step.actor_name IS 'personal';
COMMENT ON COLUMN petition.petition_step.content IS 'personal';

-- History holds only superseded rows; children are versioned with their petition.
CREATE TABLE petition.source_record_history (
    LIKE petition.source_record,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version)
) PARTITION BY LIST (tenant);

CREATE TABLE petition.person_history (
    LIKE petition.person,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version)
) PARTITION BY LIST (tenant);
COMMENT ON TABLE petition.person_history IS 'personal';

CREATE TABLE petition.petition_step_history (
    LIKE petition.petition_step INCLUDING COMMENTS,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version, child_key)
) PARTITION BY LIST (tenant);

-- Believed records that are no longer at their source, by the word of a load that read everything. They stay believed.
CREATE TABLE petition.vanished (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    first_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    vanished_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);

-- rating -------------------------------------------------------------------------------------------------------------

CREATE SCHEMA rating;

CREATE TABLE staging.rating (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    dossier_code text,
    dossier_key text,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    satisfaction smallint,
    satisfaction_raw text,
    rating_type text,
    rated_at timestamptz,
    rater_name text,
    comment text,
    source_modified_at timestamptz,
    was_not_nfc boolean
) PARTITION BY LIST (tenant);

CREATE VIEW staging.gate_rating AS
SELECT
    c.*,
    NULL::text AS child_key
FROM staging.rating AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

CREATE TABLE staging.rating_mark (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    child_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    criterion text,
    mark smallint,
    mark_raw text
) PARTITION BY LIST (tenant);

CREATE VIEW staging.gate_rating_mark AS
SELECT c.*
FROM staging.rating_mark AS c
WHERE
    c.tenant = current_setting('lienthong.tenant')
    AND c.load_id = current_setting('lienthong.load_id')::bigint;

CREATE TABLE rating.source_record (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    version bigint NOT NULL,
    record_hash bytea NOT NULL,
    recipe smallint NOT NULL,
    blocked_reasons text[] NOT NULL DEFAULT '{}',
    observed_at timestamptz NOT NULL,
    load_id bigint NOT NULL,
    dossier_code text,
    dossier_key text,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    satisfaction smallint,
    satisfaction_raw text,
    rating_type text,
    rated_at timestamptz,
    source_modified_at timestamptz,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);

CREATE TABLE rating.person (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    version bigint NOT NULL,
    rater_name text,
    comment text,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);
COMMENT ON TABLE rating.person IS 'personal';

CREATE TABLE rating.rating_mark (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    version bigint NOT NULL,
    criterion text,
    mark smallint,
    mark_raw text,
    PRIMARY KEY (tenant, source_id, source_key, child_key)
) PARTITION BY LIST (tenant);

-- History holds only superseded rows; children are versioned with their rating.
CREATE TABLE rating.source_record_history (
    LIKE rating.source_record,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version)
) PARTITION BY LIST (tenant);

CREATE TABLE rating.person_history (
    LIKE rating.person,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version)
) PARTITION BY LIST (tenant);
COMMENT ON TABLE rating.person_history IS 'personal';

CREATE TABLE rating.rating_mark_history (
    LIKE rating.rating_mark INCLUDING COMMENTS,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version, child_key)
) PARTITION BY LIST (tenant);

-- Believed records that are no longer at their source, by the word of a load that read everything. They stay believed.
CREATE TABLE rating.vanished (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    first_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    vanished_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);

-- Every kind ----------------------------------------------------------------------------------------------------------

-- The code by which people know a record, of whatever kind.
CREATE VIEW quality.record_code AS
SELECT
    r.tenant,
    r.source_id,
    r.source_key,
    r.dossier_code AS code
FROM dossier.source_record AS r
UNION ALL
SELECT
    r.tenant,
    r.source_id,
    r.source_key,
    r.petition_code AS code
FROM petition.source_record AS r
UNION ALL
SELECT
    r.tenant,
    r.source_id,
    r.source_key,
    r.dossier_code AS code
FROM rating.source_record AS r;

-- Creates what a tenant needs: its row and one partition of every partitioned table, whatever its schema. Safe to call at
-- any time, twice.
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

-- Empties a tenant's staging after a load, when it has grown and no other load of the tenant has rows in it: rows that
-- were only deleted would be walked over by every later load until autovacuum comes. False, and nothing done, otherwise.
-- A load that was given up long ago and has no rows left holds nobody up, whatever its state says.
CREATE OR REPLACE FUNCTION ops.empty_staging(of_tenant text, of_load bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    partitions text;
    bytes bigint;
    partition_name text;
    others boolean;
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
        ) THEN
            FOREACH partition_name IN ARRAY string_to_array(partitions, ', ') LOOP
                EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s WHERE load_id <> %s)', partition_name, of_load) INTO others;
                IF others THEN
                    RAISE EXCEPTION USING ERRCODE = 'LT001'; -- gives the locks back
                END IF;
            END LOOP;
        END IF;
        EXECUTE 'TRUNCATE ' || partitions;
    EXCEPTION WHEN lock_not_available OR SQLSTATE 'LT001' THEN
        RETURN false;
    END;
    RETURN true;
END;
$$;

-- Statistics of what is believed of a kind, when a load changed much of it: autovacuum comes minutes later, the next load
-- now.
DROP FUNCTION ops.analyze_believed(text);
CREATE FUNCTION ops.analyze_believed(of_tenant text, of_kind text) RETURNS void
LANGUAGE plpgsql SET default_statistics_target = 20 AS $$
DECLARE
    table_name text;
BEGIN
    FOR table_name IN
        SELECT c.relname
        FROM pg_partitioned_table AS p
        INNER JOIN pg_class AS c ON c.oid = p.partrelid
        INNER JOIN pg_namespace AS ns ON ns.oid = c.relnamespace
        WHERE ns.nspname = of_kind AND c.relname NOT LIKE '%history'
        ORDER BY c.relname
    LOOP
        EXECUTE format('ANALYZE %I.%I', of_kind, table_name || '__' || lower(of_tenant));
    END LOOP;
END;
$$;

SELECT ops.ensure_tenant(t.tenant)
FROM ops.tenant AS t
ORDER BY t.tenant;
