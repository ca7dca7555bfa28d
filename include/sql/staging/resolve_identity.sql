-- Purpose: catch two dossiers that claim one dossier code, after decide_verdicts gave every record its own dossier.
-- Grain: one verdict row. A record that is known keeps its dossier. A new record joins the dossier that already holds its
--        code (held by another source; or by the same source, if procedure and reception agree: an import done twice).
--        Any other code that another dossier holds is a collision: the record stands alone, without the code, and is
--        blocked.
-- Idempotency: deterministic for the same believed state. Locks: rows of staging.verdict, under the tenant's lock.
WITH claim AS MATERIALIZED (
    SELECT
        v.row_no,
        v.source_key,
        d.dossier_code,
        d.procedure_code,
        d.received_at,
        v.dossier_id AS own_id,
        v.version > 1 AS known
    FROM staging.verdict AS v
    INNER JOIN staging.dossier AS d
        ON d.tenant = :tenant AND d.load_id = :load_id AND d.row_no = v.row_no
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome IN ('inserted', 'updated')
),
holder AS (
    SELECT
        held.dossier_code,
        held.dossier_id,
        held.source_id,
        speaker.procedure_code,
        speaker.received_at
    FROM dossier.dossier AS held
    INNER JOIN dossier.source_record AS speaker
        ON
            speaker.tenant = :tenant
            AND speaker.source_id = held.source_id
            AND speaker.source_key = held.source_key
    WHERE
        held.tenant = :tenant
        AND held.dossier_code IN (SELECT claim.dossier_code FROM claim)
        AND NOT EXISTS (
            SELECT 1
            FROM claim AS leaving
            WHERE
                held.source_id = :source_id
                AND leaving.source_key = held.source_key
                AND leaving.dossier_code IS DISTINCT FROM held.dossier_code
        )
),
shared AS (
    SELECT claim.dossier_code
    FROM claim
    GROUP BY claim.dossier_code
    HAVING count(*) > 1
),
-- Nearly every code has one claimant and no other holder: those are settled as decide_verdicts left them.
contested AS MATERIALIZED (
    SELECT claim.*
    FROM claim
    LEFT JOIN shared ON shared.dossier_code = claim.dossier_code
    LEFT JOIN holder ON holder.dossier_code = claim.dossier_code
    WHERE shared.dossier_code IS NOT NULL OR holder.dossier_id <> claim.own_id
),
leader AS (
    SELECT DISTINCT ON (contested.dossier_code)
        contested.dossier_code,
        contested.own_id,
        contested.procedure_code,
        contested.received_at
    FROM contested
    ORDER BY contested.dossier_code, contested.known DESC, length(contested.source_key), contested.source_key
),
resolved AS (
    SELECT
        contested.row_no,
        contested.own_id,
        contested.known,
        coalesce(holder.dossier_id, leader.own_id) AS code_owner,
        CASE
            WHEN holder.dossier_id IS NULL
                THEN
                    leader.procedure_code IS NOT DISTINCT FROM contested.procedure_code
                    AND leader.received_at IS NOT DISTINCT FROM contested.received_at
            ELSE
                holder.source_id <> :source_id
                OR (
                    holder.procedure_code IS NOT DISTINCT FROM contested.procedure_code
                    AND holder.received_at IS NOT DISTINCT FROM contested.received_at
                )
        END AS same_dossier
    FROM contested
    LEFT JOIN leader ON leader.dossier_code = contested.dossier_code
    LEFT JOIN holder ON holder.dossier_code = contested.dossier_code
)
UPDATE staging.verdict AS v
SET
    dossier_id = CASE
        WHEN NOT resolved.known AND resolved.code_owner IS NOT NULL AND resolved.same_dossier THEN resolved.code_owner
        ELSE resolved.own_id
    END,
    blocked_reasons = CASE
        WHEN
            resolved.code_owner <> resolved.own_id AND (resolved.known OR NOT resolved.same_dossier)
            THEN array_append(v.blocked_reasons, 'dossier_code_collision')
        ELSE v.blocked_reasons
    END
FROM resolved
WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.row_no = resolved.row_no;
