-- Purpose: statistics of what was just found. Grain: one table. Idempotency: yes. Locks: none that matter.
ANALYZE pg_temp.known;
