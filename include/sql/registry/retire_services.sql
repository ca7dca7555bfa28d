-- Purpose: move what a source no longer says about its online services, or says differently, into history.
-- Grain: one row per agency and procedure of one source. Idempotency: nothing to retire the second time.
-- Locks: the retired rows.
WITH incoming AS (
    SELECT
        i.agency_code,
        i.procedure_code,
        i.online_level
    FROM
        unnest(
            CAST(:agency_codes AS text []), CAST(:procedure_codes AS text []), CAST(:online_levels AS smallint [])
        ) AS i (agency_code, procedure_code, online_level)
),
retired AS (
    DELETE FROM registry.service AS believed
    WHERE
        believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND NOT EXISTS (
            SELECT 1
            FROM incoming AS i
            WHERE
                i.agency_code = believed.agency_code
                AND i.procedure_code = believed.procedure_code
                AND i.online_level = believed.online_level
        )
    RETURNING believed.*
)
INSERT INTO registry.service_history
SELECT
    retired.*,
    :load_id
FROM retired;
