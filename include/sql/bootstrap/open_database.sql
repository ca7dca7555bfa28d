-- Purpose: who may connect, use temporary tables and make schemas. Grain: this database. Idempotency: yes.
-- Locks: none that matter. A login that does not own the database leaves it to the administrator. Temporary tables belong
-- to statements of loads, deliveries and scores; the reader has none.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT
            what.privileges,
            r.rolname
        FROM (
            VALUES
            ('lienthong_loader', 'CONNECT, TEMPORARY'),
            ('lienthong_pusher', 'CONNECT, TEMPORARY'),
            ('lienthong_scorer', 'CONNECT, TEMPORARY'),
            ('lienthong_reader', 'CONNECT'),
            ('lienthong_migrator', 'CONNECT, TEMPORARY, CREATE')
        ) AS what (rolname, privileges)
        INNER JOIN pg_catalog.pg_roles AS r ON r.rolname = what.rolname
        WHERE NOT has_database_privilege(r.oid, current_database(), 'CONNECT')
            OR (r.rolname <> 'lienthong_reader' AND NOT has_database_privilege(r.oid, current_database(), 'TEMPORARY'))
            OR (r.rolname = 'lienthong_migrator' AND NOT has_database_privilege(r.oid, current_database(), 'CREATE'))
    LOOP
        BEGIN
            EXECUTE format('GRANT %s ON DATABASE %I TO %I', given.privileges, current_database(), given.rolname);
        EXCEPTION WHEN insufficient_privilege THEN
            RETURN;
        END;
    END LOOP;
    IF EXISTS (
        SELECT 1
        FROM pg_catalog.pg_roles AS r
        WHERE r.rolname = 'lienthong_migrator' AND NOT has_schema_privilege(r.oid, 'public', 'CREATE')
    ) THEN
        BEGIN
            GRANT USAGE, CREATE ON SCHEMA public TO lienthong_migrator; -- Alembic's own table lies there
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;
        END;
    END IF;
END;
$$;
