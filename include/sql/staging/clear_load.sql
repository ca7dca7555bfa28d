-- Purpose: remove a load's rows from staging. Grain: one load. Idempotency: yes. Locks: rows of that load only.
WITH dossiers AS (DELETE FROM staging.dossier WHERE tenant = :tenant AND load_id = :load_id),
steps AS (DELETE FROM staging.step WHERE tenant = :tenant AND load_id = :load_id),
documents AS (DELETE FROM staging.document WHERE tenant = :tenant AND load_id = :load_id),
fees AS (DELETE FROM staging.fee WHERE tenant = :tenant AND load_id = :load_id),
violations AS (DELETE FROM staging.violation WHERE tenant = :tenant AND load_id = :load_id),
superseded AS (DELETE FROM staging.superseded WHERE tenant = :tenant AND load_id = :load_id),
digests AS (DELETE FROM staging.digest WHERE tenant = :tenant AND load_id = :load_id),
verdicts AS (DELETE FROM staging.verdict WHERE tenant = :tenant AND load_id = :load_id)
SELECT 1;
