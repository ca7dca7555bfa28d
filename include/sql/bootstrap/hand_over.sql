-- Purpose: give everything of the warehouse to the group lienthong_migrator: what was made before there were roles, or
--          restored by another login. Members of the group then own it as the login did.
-- Grain: one object per transaction, so that its lock is held for a moment only: a warehouse has thousands of partitions.
-- Idempotency: yes; interrupted, the next run goes on. Locks: ACCESS EXCLUSIVE on each object that changes hands.
-- To be run outside a transaction. Only what this login may give away; indexes, and sequences of columns, follow their
-- table.
DO $$
DECLARE
    heir oid := to_regrole('lienthong_migrator');
    may boolean := FALSE;
    given record;
BEGIN
    IF heir IS NOT NULL THEN
        may := pg_has_role(
            session_user,
            heir,
            CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END
        )
        AND has_database_privilege(heir, current_database(), 'CREATE')
        AND has_schema_privilege(heir, 'public', 'CREATE');
    END IF;
    IF NOT may THEN
        RETURN;
    END IF;
    FOR given IN
        WITH house AS (
            SELECT
                n.oid,
                n.nspname,
                n.nspowner
            FROM pg_catalog.pg_namespace AS n
            WHERE
                n.nspname IN (
                    'ops', 'registry', 'landing', 'staging', 'dossier', 'quality', 'exchange', 'indices', 'freshness'
                )
                -- The schema of a kind: its tables are partitioned, and it was made by who made `ops`.
                OR (
                    n.nspname <> 'public'
                    AND n.nspowner = (SELECT o.nspowner FROM pg_catalog.pg_namespace AS o WHERE o.nspname = 'ops')
                    AND EXISTS (
                        SELECT 1
                        FROM pg_catalog.pg_class AS c
                        WHERE c.relnamespace = n.oid AND c.relkind = 'p'
                    )
                )
        )

        SELECT
            1 AS place,
            format('SCHEMA %I', house.nspname) AS object,
            house.nspowner AS owner
        FROM house
        UNION ALL
        SELECT
            2,
            format(
                '%s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, n.nspname, c.relname
            ),
            c.relowner
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE
            c.relkind IN ('r', 'p', 'v')
            AND (n.oid IN (SELECT house.oid FROM house) OR (n.nspname = 'public' AND c.relname = 'schema_version'))
        UNION ALL
        SELECT
            3,
            format('FUNCTION %s', f.oid::regprocedure),
            f.proowner
        FROM pg_catalog.pg_proc AS f
        WHERE f.pronamespace IN (SELECT house.oid FROM house)
        ORDER BY 1, 2
    LOOP
        CONTINUE WHEN given.owner = heir OR NOT pg_has_role(session_user, given.owner, 'USAGE');
        EXECUTE format('ALTER %s OWNER TO lienthong_migrator', given.object);
        COMMIT;
    END LOOP;
END;
$$;
