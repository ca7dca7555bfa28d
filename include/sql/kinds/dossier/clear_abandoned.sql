-- Made by `make sql` from clear_abandoned.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: remove what loads of a source left in staging that nobody finished. One that is taken up again after all is
--          staged again from landing. Grain: loads opened before :before and not merged. Idempotency: yes.
-- Locks: rows of those loads.
WITH abandoned AS (
    SELECT l.load_id
    FROM ops.load AS l
    WHERE
        l.tenant = :tenant
        AND l.source_id = :source_id
        AND l.state IN ('staged', 'gated')
        AND l.opened_at < :before
),
dossier_rows AS (
    DELETE FROM staging.dossier WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
step_rows AS (
    DELETE FROM staging.step WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
document_rows AS (
    DELETE FROM staging.document WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
fee_rows AS (
    DELETE FROM staging.fee WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
violations AS (
    DELETE FROM staging.violation WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
superseded AS (
    DELETE FROM staging.superseded WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
digests AS (
    DELETE FROM staging.digest WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
sightings AS (
    DELETE FROM ops.sighting WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
),
verdicts AS (
    DELETE FROM staging.verdict WHERE tenant = :tenant AND load_id IN (SELECT load_id FROM abandoned)
)
SELECT 1;
