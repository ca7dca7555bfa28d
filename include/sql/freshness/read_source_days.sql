-- Purpose: volume of a source on its newest days, and what was expected of the days that were judged.
-- Grain: one row per day on which something came or that was judged. Idempotency: reads only. Locks: none.
WITH volumes AS (
    SELECT
        volume.day,
        sum(volume.dossiers) AS seen
    FROM freshness.volume AS volume
    WHERE
        volume.tenant = :tenant
        AND volume.source_id = :source_id
        AND volume.day BETWEEN :first_day AND :last_day
    GROUP BY volume.day
)
SELECT
    coalesce(volumes.day, source_day.day) AS day,
    coalesce(volumes.seen, 0) AS seen,
    source_day.expected
FROM volumes
FULL JOIN (
    SELECT
        judged.day,
        judged.expected
    FROM freshness.source_day AS judged
    WHERE
        judged.tenant = :tenant
        AND judged.source_id = :source_id
        AND judged.day BETWEEN :first_day AND :last_day
) AS source_day ON source_day.day = volumes.day
ORDER BY day DESC;
