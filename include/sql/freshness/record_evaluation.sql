-- Purpose: when a source was last judged. Grain: one source. Idempotency: overwrites. Locks: the source's row.
INSERT INTO freshness.source_state (tenant, source_id, evaluated_at)
VALUES (:tenant, :source_id, :now)
ON CONFLICT (tenant, source_id) DO UPDATE SET evaluated_at = excluded.evaluated_at;
