-- Purpose: whether this session may give rights on the warehouse's tables. Grain: one row. Idempotency: reads only.
-- Locks: none.
SELECT
    EXISTS (
        SELECT 1
        FROM pg_catalog.pg_class AS c
        INNER JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'ops' AND c.relname = 'tenant' AND pg_has_role(current_user, c.relowner, 'USAGE')
    ) AS owns;
