-- Made by `make sql` from apply_sightings.sql.j2 and model/kinds/rating.py: change those.
-- Purpose: keep which believed records are no longer at their source: those that this load noted as unseen are added,
--          those it saw again leave. Nothing else about them changes.
-- Grain: one record. Idempotency: yes. Locks: the written rows, under the tenant's lock.
WITH returned AS (
    DELETE FROM rating.vanished AS v
    USING ops.sighting AS s
    WHERE
        s.tenant = :tenant
        AND s.load_id = :load_id
        AND s.seen
        AND v.tenant = :tenant
        AND v.source_id = :source_id
        AND v.source_key = s.source_key
)
INSERT INTO rating.vanished AS v (tenant, source_id, source_key, first_load_id, last_load_id, vanished_at)
SELECT
    :tenant,
    :source_id,
    s.source_key,
    :load_id,
    :load_id,
    :observed_at
FROM ops.sighting AS s
WHERE s.tenant = :tenant AND s.load_id = :load_id AND NOT s.seen
ON CONFLICT (tenant, source_id, source_key) DO UPDATE SET last_load_id = excluded.last_load_id;
