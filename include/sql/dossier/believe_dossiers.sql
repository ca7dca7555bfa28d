-- Purpose: choose the record that speaks for every dossier this load touched, and raise the version of what changed.
-- Grain: one row per dossier. Precedence: the contract's, then the record modified last, then the oldest key.
-- Idempotency: a dossier whose speaker did not change in this load stays untouched.
-- Locks: row locks on changed dossiers, under the tenant's lock.
WITH touched AS (
    SELECT DISTINCT v.dossier_id
    FROM staging.verdict AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome IN ('inserted', 'updated')
),
speaker AS (
    SELECT DISTINCT ON (r.dossier_id)
        r.dossier_id,
        r.source_id,
        r.source_key,
        r.load_id,
        CASE WHEN 'dossier_code_collision' = ANY(r.blocked_reasons) THEN NULL ELSE r.dossier_code END AS dossier_code
    FROM touched
    INNER JOIN dossier.source_record AS r ON r.tenant = :tenant AND r.dossier_id = touched.dossier_id
    LEFT JOIN ops.source AS s ON s.tenant = :tenant AND s.source_id = r.source_id
    ORDER BY
        r.dossier_id,
        coalesce(s.precedence, 32767),
        r.source_modified_at DESC NULLS LAST,
        length(r.source_key),
        r.source_key
),
choice AS MATERIALIZED (
    SELECT
        speaker.*,
        believed.dossier_id IS NULL AS is_new
    FROM speaker
    LEFT JOIN dossier.dossier AS believed ON believed.tenant = :tenant AND believed.dossier_id = speaker.dossier_id
    WHERE
        believed.dossier_id IS NULL
        OR speaker.load_id = :load_id
        OR (believed.source_id, believed.source_key) <> (speaker.source_id, speaker.source_key)
),
changed AS (
    UPDATE dossier.dossier AS believed
    SET
        dossier_code = choice.dossier_code,
        source_id = choice.source_id,
        source_key = choice.source_key,
        version = believed.version + 1,
        load_id = :load_id
    FROM choice
    WHERE NOT choice.is_new AND believed.tenant = :tenant AND believed.dossier_id = choice.dossier_id
)
INSERT INTO dossier.dossier (
    tenant,
    dossier_id,
    dossier_code,
    source_id,
    source_key,
    version,
    load_id,
    opened_load_id
)
SELECT
    :tenant,
    choice.dossier_id,
    choice.dossier_code,
    choice.source_id,
    choice.source_key,
    1,
    :load_id,
    :load_id
FROM choice
WHERE choice.is_new;
