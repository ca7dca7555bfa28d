-- Purpose: the group roles of the steps. Nobody logs in with them: logins are their members (docs/operate.md).
-- Grain: one role each, of the whole server: databases beside this one share them, and may make them just now.
-- Idempotency: yes. A login that may not make roles leaves them to the administrator: without them nothing else changes.
-- Locks: none that matter.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'lienthong_loader', 'lienthong_pusher', 'lienthong_scorer', 'lienthong_reader', 'lienthong_migrator'
    ] LOOP
        CONTINUE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_roles AS r WHERE r.rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
            NULL; -- another database of this server made it just now, or we may not
        END;
    END LOOP;
END;
$$;
