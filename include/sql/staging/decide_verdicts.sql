-- Purpose: decide what each staged dossier row is: inserted, updated, unchanged, duplicate, stale or quarantined.
-- Grain: one verdict per row of staging.dossier of the load; the record hash is the one that digest_rows took.
-- Idempotency: the caller deletes the load's verdicts first, in the same transaction.
-- Locks: reads only, under the tenant's lock.
INSERT INTO staging.verdict (tenant, load_id, row_no, source_key, outcome, record_hash, blocked_reasons, version)
WITH ranked AS (
    SELECT
        g.row_no,
        g.source_key,
        g.record_hash,
        (r.row_no IS NOT NULL) AS rejected,
        row_number() OVER (PARTITION BY g.source_key, r.row_no IS NOT NULL ORDER BY g.row_no DESC) AS recency
    FROM staging.digest AS g
    LEFT JOIN quality.load_rejected AS r
        ON r.tenant = :tenant AND r.load_id = :load_id AND r.row_no = g.row_no
    WHERE g.tenant = :tenant AND g.load_id = :load_id
)
SELECT
    :tenant,
    :load_id,
    ranked.row_no,
    ranked.source_key,
    CASE
        WHEN ranked.rejected THEN 'quarantined'
        WHEN ranked.recency > 1 THEN 'duplicate'
        WHEN believed.source_key IS NULL THEN 'inserted'
        WHEN coalesce(own.reading_no, 0) > coalesce(CAST(:reading_no AS bigint), 0) THEN 'stale'
        WHEN
            believed.recipe = :recipe
            AND believed.record_hash = ranked.record_hash
            AND array_remove(believed.blocked_reasons, 'dossier_code_collision') = coalesce(blocked.reasons, '{}')
            THEN 'unchanged'
        ELSE 'updated'
    END,
    ranked.record_hash,
    coalesce(blocked.reasons, '{}'),
    coalesce(believed.version, 0) + 1
FROM ranked
LEFT JOIN quality.load_blocked AS blocked
    ON blocked.tenant = :tenant AND blocked.load_id = :load_id AND blocked.row_no = ranked.row_no
LEFT JOIN dossier.source_record AS believed
    ON believed.tenant = :tenant AND believed.source_id = :source_id AND believed.source_key = ranked.source_key
LEFT JOIN ops.load AS own ON own.load_id = believed.load_id;
