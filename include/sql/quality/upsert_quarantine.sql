-- Purpose: put into quarantine what this load rejects: dossiers (each with its children), and children rejected without
--   a dossier in their load. One already there gets the newest pointer and reasons.
-- Grain: one rejected unit. Idempotency: yes. Locks: the written rows; the caller holds the tenant's merge lock.
WITH rejected_dossier AS (
    SELECT r.*
    FROM quality.load_record AS r
    INNER JOIN quality.load_rejected AS x ON r.tenant = x.tenant AND r.load_id = x.load_id AND r.row_no = x.row_no
    WHERE
        r.tenant = :tenant
        AND r.load_id = :load_id
        AND r.entity = 'dossier'
        AND x.tenant = :tenant
        AND x.load_id = :load_id
),

rejection AS (
    SELECT v.*
    FROM staging.violation AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.severity = 'reject'
),

-- Almost always none: then the children of the load are not walked through.
without_dossier AS MATERIALIZED (
    SELECT v.*
    FROM rejection AS v
    WHERE
        v.entity <> 'dossier'
        AND (
            btrim(coalesce(v.source_key, '')) = ''
            OR NOT EXISTS (
                SELECT
                FROM staging.dossier AS parent
                WHERE parent.tenant = :tenant AND parent.load_id = :load_id AND parent.source_key = v.source_key
            )
        )
),

reason AS (
    SELECT
        d.*,
        v.rule_id
    FROM rejected_dossier AS d
    INNER JOIN rejection AS v ON v.entity = 'dossier' AND d.row_no = v.row_no
    UNION ALL
    SELECT
        d.*,
        v.rule_id
    FROM rejected_dossier AS d
    INNER JOIN rejection AS v ON v.entity <> 'dossier' AND d.source_key = v.source_key
    UNION ALL
    SELECT
        r.*,
        v.rule_id
    FROM quality.load_record AS r
    INNER JOIN without_dossier AS v ON r.entity = v.entity AND r.row_no = v.row_no
    WHERE
        r.tenant = :tenant
        AND r.load_id = :load_id
        AND r.entity <> 'dossier'
        AND NOT EXISTS (
            SELECT
            FROM staging.dossier AS parent
            WHERE parent.tenant = :tenant AND parent.load_id = :load_id AND parent.source_key = r.source_key
        )
),

rejected_unit AS (
    SELECT
        entity,
        source_key,
        child_key,
        fingerprint,
        array_agg(DISTINCT rule_id ORDER BY rule_id) AS reasons,
        (array_agg(landing_part ORDER BY row_no DESC))[1] AS landing_part,
        (array_agg(landing_row ORDER BY row_no DESC))[1] AS landing_row
    FROM reason
    GROUP BY entity, source_key, child_key, fingerprint
)

INSERT INTO quality.quarantine AS held (
    tenant,
    source_id,
    entity,
    source_key,
    child_key,
    fingerprint,
    opened_load_id,
    last_load_id,
    reasons,
    manifest_url,
    landing_part,
    landing_row,
    opened_at
)
SELECT
    :tenant,
    :source_id,
    u.entity,
    u.source_key,
    u.child_key,
    u.fingerprint,
    :load_id,
    :load_id,
    u.reasons,
    :manifest_url,
    u.landing_part,
    u.landing_row,
    :now
FROM rejected_unit AS u
ON CONFLICT (tenant, source_id, entity, source_key, child_key, fingerprint) WHERE state = 'open' DO UPDATE
    SET
        last_load_id = EXCLUDED.last_load_id,
        reasons = EXCLUDED.reasons,
        manifest_url = EXCLUDED.manifest_url,
        landing_part = EXCLUDED.landing_part,
        landing_row = EXCLUDED.landing_row
WHERE held.last_load_id <> EXCLUDED.last_load_id
