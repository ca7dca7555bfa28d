-- Purpose: one catalogue sync at a time. Grain: none. Idempotency: yes. Locks: an advisory lock until commit.
SELECT pg_advisory_xact_lock(hashtext('lienthong.catalogue'));
