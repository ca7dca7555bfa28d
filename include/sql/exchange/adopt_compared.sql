-- Purpose: turn one page of comparisons into decisions: our state → acknowledged (verified); missing or different →
-- owed (delta); known to be there with contents not shown → acknowledged (assumed), only if that was accepted.
-- Only comparisons made since the other program stopped count, of the payload that is still wanted.
-- Grain: one page of comparisons by id after a key; one row back: the page's last id (null: the end), dossiers decided.
-- Idempotency: decided dossiers are left alone. Locks: those rows in key order; the caller holds derive_state.
WITH page AS MATERIALIZED (
    SELECT
        c.dossier_id,
        c.dossier_code,
        c.wanted_hash,
        c.recipe,
        c.asked_at,
        c.verdict,
        CASE
            WHEN c.verdict = 'same' THEN 'verified'
            WHEN c.verdict IN ('missing', 'different') THEN 'delta'
            WHEN 'present' = ANY(c.kinds) AND CAST(:accept_presence AS boolean) THEN 'assumed'
        END AS adoption
    FROM exchange.comparison AS c
    WHERE c.tenant = :tenant AND c.dossier_id > CAST(:after AS uuid)
    ORDER BY c.dossier_id
    LIMIT :page_size
),
locked AS MATERIALIZED (
    SELECT
        x.dossier_id,
        page.adoption,
        page.verdict
    FROM page
    INNER JOIN exchange.delivery AS x ON x.tenant = :tenant AND x.dossier_id = page.dossier_id
    WHERE
        x.tenant = :tenant
        AND page.adoption IS NOT NULL
        AND page.asked_at >= CAST(:frozen_at AS timestamptz)
        AND page.wanted_hash = x.wanted_hash
        AND page.recipe = x.recipe
        AND page.dossier_code = x.dossier_code
        AND x.mode <> 'observe'
        AND x.lease_until IS NULL
        AND NOT x.in_doubt
        AND (
            (
                coalesce(x.acked_at < CAST(:frozen_at AS timestamptz), TRUE)
                AND coalesce(x.adopted_at < CAST(:frozen_at AS timestamptz), TRUE)
            )
            OR (x.adoption = 'assumed' AND page.verdict <> 'unknown')
        )
    ORDER BY x.dossier_id
    FOR UPDATE OF x
),
decided AS (
    UPDATE exchange.delivery AS x SET
        adoption = locked.adoption,
        adopted_at = :now,
        adopted_version = x.derived_version,
        presence = CASE locked.verdict WHEN 'missing' THEN 'absent' ELSE 'present' END,
        taken_over_at = CASE WHEN locked.verdict <> 'missing' THEN CAST(:frozen_at AS timestamptz) END,
        acked_version = CASE WHEN locked.adoption <> 'delta' THEN x.wanted_version END,
        acked_hash = CASE WHEN locked.adoption <> 'delta' THEN x.wanted_hash END,
        acked_recipe = CASE WHEN locked.adoption <> 'delta' THEN x.recipe END,
        acked_code = CASE WHEN locked.adoption <> 'delta' THEN x.dossier_code END,
        acked_at = CASE WHEN locked.adoption <> 'delta' THEN CAST(:frozen_at AS timestamptz) END,
        rejected_hash = NULL
    FROM locked
    WHERE x.tenant = :tenant AND x.dossier_id = locked.dossier_id
    RETURNING x.dossier_id, locked.verdict
),
-- The portal lost a dossier, or never had it: whatever was noted of its steps says nothing any more.
forgotten AS (
    DELETE FROM exchange.step_delivery AS s
    USING decided
    WHERE s.tenant = :tenant AND s.dossier_id = decided.dossier_id AND decided.verdict = 'missing'
)
SELECT
    (
        SELECT page.dossier_id::text
        FROM page
        ORDER BY page.dossier_id DESC
        LIMIT 1
    ) AS last_id,
    (
        SELECT count(*)
        FROM decided
    ) AS dossiers;
