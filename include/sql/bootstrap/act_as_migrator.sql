-- Purpose: from now on this session makes and changes things as the group lienthong_migrator, if it may, and if all that
--          there is belongs to the group. Grain: the session, until act_as_oneself. Idempotency: yes. Locks: none.
SELECT set_config('role', 'lienthong_migrator', FALSE) AS role
FROM pg_catalog.pg_roles AS r
WHERE
    r.rolname = 'lienthong_migrator'
    AND pg_has_role(
        session_user,
        r.oid,
        CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END
    )
    AND has_database_privilege(r.oid, current_database(), 'CREATE')
    AND has_schema_privilege(r.oid, 'public', 'CREATE')
    AND NOT EXISTS (
        SELECT 1
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE
            c.relkind IN ('r', 'p')
            AND c.relowner <> r.oid
            AND (
                n.nspname IN (
                    'ops', 'registry', 'landing', 'staging', 'dossier', 'quality', 'exchange', 'indices', 'freshness'
                )
                OR (n.nspname = 'public' AND c.relname = 'schema_version')
            )
    );
