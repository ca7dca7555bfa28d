-- Purpose: how many old dossiers of a source a first push would send that nobody has decided about.
-- Grain: one row. Old: received before an instant. Blocked dossiers are not sent, nor those of
-- procedures that are sent elsewhere (`covered`), so they don't count; `dossiers` are all of the source.
-- Idempotency: reads only. Locks: none.
SELECT
    count(*) AS dossiers,
    count(*) FILTER (
        WHERE
        r.received_at < :before
        AND d.dossier_code IS NOT NULL
        AND r.blocked_reasons = '{}'
        AND coalesce(r.procedure_code <> ALL(CAST(:covered AS text [])), TRUE)
        AND x.acked_at IS NULL
        AND x.adoption IS NULL
    ) AS undecided
FROM dossier.source_record AS r
INNER JOIN dossier.dossier AS d
    ON d.tenant = :tenant AND d.source_id = r.source_id AND d.source_key = r.source_key AND d.dossier_id = r.dossier_id
LEFT JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = d.dossier_id
WHERE r.tenant = :tenant AND r.source_id = :source_id;
