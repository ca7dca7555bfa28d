-- Purpose: one migration at a time per database. Grain: the session. Idempotency: taken once, released by
--          unlock_migrations. Locks: an advisory lock of the session.
SELECT pg_advisory_lock(hashtext('lienthong.migrate'));
