-- Purpose: end act_as_migrator. Grain: the session. Idempotency: yes. Locks: none.
SELECT set_config('role', 'none', FALSE) AS role;
