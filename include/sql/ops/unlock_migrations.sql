-- Purpose: let the next migration begin. Grain: the session. Idempotency: yes. Locks: releases one.
SELECT pg_advisory_unlock(hashtext('lienthong.migrate'));
