-- Purpose: a role per step with the rights of its step; partitions looked up in the catalogue, never by a name; the last
--          large key that did not start with the tenant.
-- Grain: see each part. Idempotency: run once by Alembic; rights are given again after every migration (ops.grant_rights).
-- Locks: ops.sighting, briefly; it has hardly any rows.
--
-- Steps can't make tables. What needs the owner's rights (partitions of a new tenant, statistics, emptying staging) are
-- functions that run as their owner with a pinned search path, and that only the roles named below may call.

-- partitions --------------------------------------------------------------------------------------------------------

-- The partition that holds a tenant's rows of a table; NULL when it has none.
CREATE FUNCTION ops.partition_of(parent regclass, of_tenant text) RETURNS regclass
LANGUAGE sql STABLE AS $$
    SELECT i.inhrelid::regclass
    FROM pg_catalog.pg_inherits AS i
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    WHERE
        i.inhparent = parent
        AND pg_catalog.pg_get_expr(c.relpartbound, c.oid) = pg_catalog.format('FOR VALUES IN (%L)', of_tenant)
$$;

-- Creates what a tenant needs: its row and one partition of every table that is partitioned by tenant. Safe to call at any
-- time, twice. Partitions belong to the owner of this function, and nobody has rights on them: rows are reached through
-- their table, whose rights count.
CREATE OR REPLACE FUNCTION ops.ensure_tenant(new_tenant text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent record;
    part_name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('lienthong.ensure_tenant'));
    INSERT INTO ops.tenant (tenant) VALUES (new_tenant) ON CONFLICT DO NOTHING;
    FOR parent IN
        SELECT
            c.oid::regclass AS name,
            n.nspname,
            c.relname
        FROM pg_partitioned_table AS p
        INNER JOIN pg_class AS c ON c.oid = p.partrelid
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
        WHERE
            p.partstrat = 'l'
            AND a.attname = 'tenant'
            AND c.relowner = (SELECT t.relowner FROM pg_class AS t WHERE t.oid = 'ops.tenant'::regclass)
        ORDER BY n.nspname, c.relname
    LOOP
        CONTINUE WHEN ops.partition_of(parent.name, new_tenant) IS NOT NULL;
        part_name := parent.relname || '__' || lower(new_tenant);
        -- ATTACH lets readers and writers of other tenants go on; PARTITION OF would lock them all out.
        EXECUTE format(
            'CREATE %s TABLE %I.%I (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)',
            CASE WHEN parent.nspname IN ('landing', 'staging') THEN 'UNLOGGED' ELSE '' END,
            parent.nspname, part_name, parent.name
        );
        EXECUTE format(
            'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES IN (%L)',
            parent.name, parent.nspname, part_name, new_tenant
        );
    END LOOP;
END;
$$;

-- Statistics of a tenant's partitions of some tables. For those who own them: the functions below.
CREATE FUNCTION ops.analyze_partitions(of_tenant text, parents regclass []) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    parent regclass;
    part regclass;
BEGIN
    FOREACH parent IN ARRAY parents LOOP
        part := ops.partition_of(parent, of_tenant);
        IF part IS NOT NULL THEN
            EXECUTE format('ANALYZE %s', part);
        END IF;
    END LOOP;
END;
$$;

-- Statistics of what was just staged, from a small sample: sizes and widths are what the planner needs here.
CREATE OR REPLACE FUNCTION ops.analyze_staging(of_tenant text, tables text []) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET default_statistics_target = 10 AS $$
BEGIN
    PERFORM ops.analyze_partitions(
        of_tenant, (SELECT array_agg(format('staging.%I', t.name)::regclass) FROM unnest(tables) AS t (name))
    );
END;
$$;

CREATE OR REPLACE FUNCTION quality.analyze_violations(of_tenant text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ops.analyze_partitions(of_tenant, ARRAY['staging.violation'::regclass]);
END;
$$;

CREATE OR REPLACE FUNCTION exchange.analyze_deliveries(of_tenant text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ops.analyze_partitions(
        of_tenant, ARRAY['exchange.delivery'::regclass, 'exchange.step_delivery'::regclass]
    );
END;
$$;

CREATE OR REPLACE FUNCTION indices.analyze_facts(of_tenant text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ops.analyze_partitions(of_tenant, ARRAY['indices.dossier_fact'::regclass]);
END;
$$;

-- Empties a tenant's staging after a load, when it has grown and no other load of the tenant has rows in it: rows that
-- were only deleted would be walked over by every later load until autovacuum comes. False, and nothing done, otherwise.
-- A load that was given up long ago and has no rows left holds nobody up, whatever its state says.
CREATE OR REPLACE FUNCTION ops.empty_staging(of_tenant text, of_load bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text;
    bytes bigint;
    landed regclass [];
    part regclass;
    used boolean;
BEGIN
    SELECT
        string_agg(found.part::text, ', ' ORDER BY found.part::text),
        sum(pg_relation_size(found.part))
    INTO parts, bytes
    FROM (
        SELECT ops.partition_of(p.partrelid::regclass, of_tenant) AS part
        FROM pg_partitioned_table AS p
        INNER JOIN pg_class AS c ON c.oid = p.partrelid
        WHERE c.relnamespace = 'staging'::regnamespace
    ) AS found
    WHERE found.part IS NOT NULL;
    -- What was landed; the rest is about these rows.
    landed := ARRAY(
        SELECT ops.partition_of(c.oid::regclass, of_tenant)
        FROM pg_class AS c
        INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'landing_part'
        WHERE c.relnamespace = 'staging'::regnamespace AND c.relkind = 'p'
    );
    IF coalesce(bytes, 0) < 16777216 THEN
        RETURN false;
    END IF;
    BEGIN
        -- Whoever stages, judges or rehearses just now holds a lock: their rows are not ours to empty.
        EXECUTE 'LOCK TABLE ' || parts || ' IN ACCESS EXCLUSIVE MODE NOWAIT';
        IF EXISTS (
            SELECT 1
            FROM ops.load AS l
            WHERE l.tenant = of_tenant AND l.load_id <> of_load AND l.state IN ('staged', 'gated')
        ) THEN
            FOREACH part IN ARRAY landed LOOP
                EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s AS s WHERE s.load_id <> $1)', part)
                INTO used USING of_load;
                IF used THEN
                    RAISE EXCEPTION USING ERRCODE = 'LT001'; -- gives the locks back
                END IF;
            END LOOP;
        END IF;
        EXECUTE 'TRUNCATE ' || parts;
    EXCEPTION WHEN lock_not_available OR SQLSTATE 'LT001' THEN
        RETURN false;
    END;
    RETURN true;
END;
$$;

-- One merge or derivation of facts at a time per tenant, until the transaction ends. A function, because a row lock needs
-- the right to change the row.
CREATE FUNCTION ops.lock_tenant(of_tenant text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.merges FROM ops.tenant AS t WHERE t.tenant = of_tenant FOR UPDATE
$$;

-- keys --------------------------------------------------------------------------------------------------------------

-- One row per record that vanished or came back: in the worst case as many as a source has.
ALTER TABLE ops.sighting ADD COLUMN tenant text;
UPDATE ops.sighting AS s SET tenant = l.tenant FROM ops.load AS l WHERE l.load_id = s.load_id;
ALTER TABLE ops.sighting ALTER COLUMN tenant SET NOT NULL;
ALTER TABLE ops.sighting DROP CONSTRAINT sighting_pkey;
ALTER TABLE ops.sighting ADD PRIMARY KEY (tenant, load_id, source_key);

-- Keys that stay without a tenant in front, because their tables stay small (docs/adr/0001): ops.load, ops.reading and
-- freshness.accepted_collapse have a row per run of a source, read by its own number; freshness.finding and finding_day a
-- row per thing that is wrong and day; indices.score_run, final_score and definition span tenants; registry is the
-- national catalogue, a reference table of all.

-- personal data -----------------------------------------------------------------------------------------------------

-- A comment `personal` on a table or a column keeps it from roles that see none; the history of a table is as personal as
-- the table.
COMMENT ON TABLE dossier.person IS 'personal';

-- Documents as scores need them: whether there is a link, not where it leads.
CREATE VIEW indices.paper AS
SELECT
    d.tenant,
    d.source_id,
    d.source_key,
    d.role,
    d.result_code,
    d.removed,
    d.digitised,
    d.from_citizen_store,
    d.has_file AND d.url <> '' AS has_link
FROM dossier.document AS d;

-- rights ------------------------------------------------------------------------------------------------------------

-- Schemas of kinds of records. `pushed`: whether it goes to the portal, with what is personal.
CREATE TABLE ops.kind (
    kind text PRIMARY KEY,
    pushed boolean NOT NULL DEFAULT false
);

-- What a role without personal data may read of a table: NULL nothing, '' all of it, else the columns in brackets.
CREATE FUNCTION ops.open_columns(of_table regclass) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH kin AS (
        SELECT of_table::oid AS oid
        UNION
        SELECT base.oid
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_class AS base
            ON base.relnamespace = c.relnamespace AND c.relname = base.relname || '_history'
        WHERE c.oid = of_table
    ),
    personal AS (
        SELECT a.attname
        FROM kin
        INNER JOIN pg_catalog.pg_attribute AS a ON a.attrelid = kin.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE pg_catalog.col_description(a.attrelid, a.attnum) LIKE 'personal%'
    )

    SELECT
        CASE
            WHEN EXISTS (
                SELECT 1 FROM kin WHERE pg_catalog.obj_description(kin.oid, 'pg_class') LIKE 'personal%'
            ) THEN NULL
            WHEN NOT EXISTS (SELECT 1 FROM personal) THEN ''
            ELSE (
                SELECT '(' || string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')'
                FROM pg_catalog.pg_attribute AS a
                WHERE
                    a.attrelid = of_table
                    AND a.attnum > 0
                    AND NOT a.attisdropped
                    AND a.attname NOT IN (SELECT personal.attname FROM personal)
            )
        END
$$;

-- Gives every role that is there its rights, and takes what is no longer one of them. All in one transaction: nobody is
-- without rights meanwhile. Partitions get none. For the owner of the tables.
CREATE FUNCTION ops.grant_rights() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    given record;
BEGIN
    CREATE TEMPORARY TABLE house_relation ON COMMIT DROP AS
    SELECT
        c.oid::regclass AS relation,
        n.nspname,
        c.relname,
        c.relkind,
        k.kind IS NOT NULL AS is_kind,
        coalesce(k.pushed, false) AS pushed
    FROM pg_catalog.pg_class AS c
    INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN ops.kind AS k ON k.kind = n.nspname
    WHERE
        c.relkind IN ('r', 'p', 'v')
        AND NOT c.relispartition
        AND (
            k.kind IS NOT NULL
            OR n.nspname IN ('ops', 'registry', 'landing', 'staging', 'quality', 'exchange', 'indices', 'freshness')
        );

    FOR given IN
        SELECT
            h.relation,
            r.rolname
        FROM pg_temp.house_relation AS h
        CROSS JOIN pg_catalog.pg_roles AS r
        WHERE r.rolname IN ('lienthong_loader', 'lienthong_pusher', 'lienthong_scorer', 'lienthong_reader')
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', given.relation, given.rolname);
    END LOOP;

    FOR given IN
        WITH right_of (role, nspname, relations, privileges) AS (
            -- relations NULL: all of the schema. Columns stand behind their privilege.
            VALUES
            ('loader', 'ops', NULL::text[], 'SELECT'),
            ('loader', 'ops', '{load,source,watermark,finding,source_codes}', 'INSERT, UPDATE'),
            ('loader', 'ops', '{load_count,reading,sighting}', 'INSERT'),
            ('loader', 'ops', '{sighting}', 'DELETE'),
            ('loader', 'ops', '{tenant}', 'UPDATE (merges)'),
            ('loader', 'registry', NULL, 'SELECT'),
            ('loader', 'registry', '{service}', 'INSERT, UPDATE, DELETE'),
            ('loader', 'registry', '{service_history}', 'INSERT'),
            ('loader', 'landing', NULL, 'SELECT, INSERT, UPDATE, DELETE'),
            ('loader', 'staging', NULL, 'SELECT, INSERT, UPDATE, DELETE'),
            ('loader', 'quality', NULL, 'SELECT'),
            ('loader', 'quality', '{rule,violation,quarantine}', 'INSERT, UPDATE'),
            ('loader', 'quality', '{gate_result}', 'INSERT, DELETE'),
            ('loader', 'freshness', NULL, 'SELECT, INSERT, UPDATE'),
            -- How much waits and since when, for the judgement of freshness; not what became of it.
            ('loader', 'exchange', '{delivery}', 'SELECT (tenant, dossier_id, state, sent_at, parked_at)'),
            ('loader', 'exchange', '{step_delivery}', 'SELECT (tenant, dossier_id, state, sent_at, occurred_at)'),
            ('pusher', 'ops', NULL, 'SELECT'),
            ('pusher', 'registry', NULL, 'SELECT'),
            ('pusher', 'registry', '{tenant,agency,agency_closure,procedure,catalogue_sync}', 'INSERT, UPDATE, DELETE'),
            ('pusher', 'registry', '{procedure_history}', 'INSERT'),
            ('pusher', 'quality', '{rule}', 'SELECT'),
            ('pusher', 'exchange', NULL, 'SELECT, INSERT'),
            (
                'pusher', 'exchange',
                '{delivery,step_delivery,comparison,derive_state,stale,bucket,sender,adoption}', 'UPDATE, DELETE'
            ),
            ('scorer', 'ops', NULL, 'SELECT'),
            ('scorer', 'registry', NULL, 'SELECT'),
            ('scorer', 'exchange', '{delivery}', 'SELECT (tenant, dossier_id, acked_at, reasons)'),
            ('scorer', 'indices', NULL, 'SELECT, INSERT'),
            ('scorer', 'indices', '{dossier_fact,fact_state,final_score}', 'UPDATE'),
            ('reader', 'ops', NULL, 'SELECT'),
            ('reader', 'registry', NULL, 'SELECT'),
            ('reader', 'quality', NULL, 'SELECT'),
            ('reader', 'exchange', NULL, 'SELECT'),
            ('reader', 'indices', NULL, 'SELECT'),
            ('reader', 'freshness', NULL, 'SELECT')
        )

        SELECT
            h.relation,
            w.role,
            w.privileges
        FROM pg_temp.house_relation AS h
        INNER JOIN right_of AS w
            ON w.nspname = h.nspname AND (w.relations IS NULL OR h.relname = ANY(w.relations))
        WHERE h.relkind <> 'v' OR w.privileges LIKE 'SELECT%'
        UNION ALL
        SELECT
            h.relation,
            'loader',
            CASE WHEN h.relname LIKE '%\_history' THEN 'SELECT, INSERT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END
        FROM pg_temp.house_relation AS h
        WHERE h.is_kind
        UNION ALL
        SELECT
            h.relation,
            'pusher',
            'SELECT'
        FROM pg_temp.house_relation AS h
        WHERE h.is_kind AND h.pushed
        UNION ALL
        SELECT
            h.relation,
            seeing.role,
            'SELECT ' || ops.open_columns(h.relation)
        FROM pg_temp.house_relation AS h
        CROSS JOIN (VALUES ('scorer'), ('reader')) AS seeing (role)
        WHERE h.is_kind AND ops.open_columns(h.relation) IS NOT NULL
    LOOP
        CONTINUE WHEN to_regrole('lienthong_' || given.role) IS NULL;
        EXECUTE format('GRANT %s ON %s TO %I', given.privileges, given.relation, 'lienthong_' || given.role);
    END LOOP;

    FOR given IN
        SELECT DISTINCT
            h.nspname,
            r.rolname
        FROM pg_temp.house_relation AS h
        CROSS JOIN pg_catalog.pg_roles AS r
        WHERE r.rolname IN ('lienthong_loader', 'lienthong_pusher', 'lienthong_scorer', 'lienthong_reader')
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', given.nspname, given.rolname);
    END LOOP;

    -- Functions with the owner's rights: nobody's but those named.
    FOR given IN
        SELECT f.oid::regprocedure AS name
        FROM pg_catalog.pg_proc AS f
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
        WHERE f.prosecdef AND n.nspname IN (SELECT h.nspname FROM pg_temp.house_relation AS h)
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', given.name);
    END LOOP;
    FOR given IN
        SELECT
            what.name,
            role.name AS role
        FROM (
            VALUES
            ('ops.ensure_tenant(text)', '{loader,pusher,scorer}'::text[]),
            ('ops.lock_tenant(text)', '{loader,scorer}'),
            ('ops.analyze_staging(text, text[])', '{loader}'),
            ('ops.analyze_believed(text, text)', '{loader}'),
            ('ops.empty_staging(text, bigint)', '{loader}'),
            ('quality.analyze_violations(text)', '{loader}'),
            ('exchange.analyze_deliveries(text)', '{pusher}'),
            ('indices.analyze_facts(text)', '{scorer}')
        ) AS what (name, roles)
        CROSS JOIN unnest(what.roles) AS role (name)
    LOOP
        CONTINUE WHEN to_regrole('lienthong_' || given.role) IS NULL;
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', given.name, 'lienthong_' || given.role);
    END LOOP;
    DROP TABLE pg_temp.house_relation;
END;
$$;

-- A kind of record with a schema of its name: one call in its migration, after its tables. Again when tables are added.
CREATE FUNCTION ops.grant_kind(of_kind text, is_pushed boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ops.kind AS k (kind, pushed)
    VALUES (of_kind, is_pushed)
    ON CONFLICT (kind) DO UPDATE SET pushed = excluded.pushed;
    PERFORM ops.grant_rights();
END;
$$;

-- Statistics of what is believed of a kind, when a load changed much of it: autovacuum comes minutes later, the next load
-- now.
CREATE OR REPLACE FUNCTION ops.analyze_believed(of_tenant text, of_kind text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET default_statistics_target = 20 AS $$
BEGIN
    PERFORM ops.analyze_partitions(
        of_tenant,
        ARRAY(
            SELECT p.partrelid::regclass
            FROM pg_partitioned_table AS p
            INNER JOIN pg_class AS c ON c.oid = p.partrelid
            INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
            INNER JOIN ops.kind AS k ON k.kind = n.nspname
            WHERE k.kind = of_kind AND c.relname NOT LIKE '%\_history'
        )
    );
END;
$$;

SELECT ops.grant_kind('dossier', true);
SELECT ops.grant_kind('petition');
SELECT ops.grant_kind('rating');

SELECT ops.ensure_tenant(t.tenant)
FROM ops.tenant AS t
ORDER BY t.tenant;
