-- Made by `make sql` from clear_load.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: remove a load's rows from staging. Grain: one load. Idempotency: yes. Locks: rows of that load only.
WITH rating_rows AS (DELETE FROM staging.rating WHERE tenant = :tenant AND load_id = :load_id),
rating_mark_rows AS (DELETE FROM staging.rating_mark WHERE tenant = :tenant AND load_id = :load_id),
violations AS (DELETE FROM staging.violation WHERE tenant = :tenant AND load_id = :load_id),
superseded AS (DELETE FROM staging.superseded WHERE tenant = :tenant AND load_id = :load_id),
digests AS (DELETE FROM staging.digest WHERE tenant = :tenant AND load_id = :load_id),
verdicts AS (DELETE FROM staging.verdict WHERE tenant = :tenant AND load_id = :load_id)
SELECT 1;
