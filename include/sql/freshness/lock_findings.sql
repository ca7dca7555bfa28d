-- Purpose: one writer of the findings of a source at a time. Grain: one source. Idempotency: held until the transaction
--          ends. Locks: an advisory lock.
SELECT pg_advisory_xact_lock(hashtext('lienthong.freshness'), hashtext(:tenant || '/' || :source_id));
