-- Purpose: dossiers of several sources for which, by the precedence of now, another record should speak than the one that
--          does. For release_spoken_codes and apply_speakers.
-- Grain: one dossier; precedence as in believe_dossiers. Idempotency: once per transaction. Locks: none.
CREATE TEMPORARY TABLE respoken ON COMMIT DROP AS
WITH shared AS (
    SELECT r.dossier_id
    FROM dossier.source_record AS r
    WHERE r.tenant = :tenant
    GROUP BY r.dossier_id
    HAVING min(r.source_id) <> max(r.source_id)
),
speaker AS (
    SELECT DISTINCT ON (r.dossier_id)
        r.dossier_id,
        r.source_id,
        r.source_key,
        CASE WHEN 'dossier_code_collision' = ANY(r.blocked_reasons) THEN NULL ELSE r.dossier_code END AS dossier_code
    FROM shared
    INNER JOIN dossier.source_record AS r ON r.tenant = :tenant AND r.dossier_id = shared.dossier_id
    LEFT JOIN ops.source AS s ON s.tenant = :tenant AND s.source_id = r.source_id
    ORDER BY
        r.dossier_id,
        coalesce(s.precedence, 32767),
        r.source_modified_at DESC NULLS LAST,
        length(r.source_key),
        r.source_key
)
SELECT speaker.*
FROM speaker
INNER JOIN dossier.dossier AS believed
    ON believed.tenant = :tenant AND believed.dossier_id = speaker.dossier_id
WHERE (believed.source_id, believed.source_key) <> (speaker.source_id, speaker.source_key);
