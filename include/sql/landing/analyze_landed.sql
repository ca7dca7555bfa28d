-- Purpose: statistics of what was just copied. Grain: one table. Idempotency: yes. Locks: none that matter.
ANALYZE pg_temp.landed;
