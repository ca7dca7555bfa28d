-- Purpose: lease the next dossiers whose payload is to be compared with what the portal shows, among the next :look
-- deliveries after a key; ids follow from hashes, so any part of the walk is a fair sample.
-- Grain: one row back: the claimed ids and fences, and the id to go on after (null: the end).
-- A comparison of the same payload since :since counts; `undecided` leaves out what we delivered or adopted since the
-- other program stopped (assumed dossiers are asked about only if `assumed`).
-- Idempotency: each run takes other rows; fences only rise. Locks: inserts and those rows; the caller holds derive_state.
WITH page AS MATERIALIZED (
    SELECT
        x.dossier_id,
        x.dossier_code,
        x.recipe,
        x.wanted_hash,
        x.mode <> 'observe'
        AND x.wanted_hash IS NOT NULL
        AND x.dossier_code IS NOT NULL
        AND x.lease_until IS NULL
        AND (
            NOT CAST(:undecided AS boolean)
            OR (
                coalesce(x.acked_at < CAST(:frozen_at AS timestamptz), TRUE)
                AND coalesce(x.adopted_at < CAST(:frozen_at AS timestamptz), TRUE)
            )
            OR (CAST(:assumed AS boolean) AND x.adoption = 'assumed')
        ) AS wanted
    FROM exchange.delivery AS x
    WHERE x.tenant = :tenant AND x.dossier_id > CAST(:after AS uuid)
    ORDER BY x.dossier_id
    LIMIT :look
),
candidate AS MATERIALIZED (
    SELECT
        page.dossier_id,
        page.dossier_code
    FROM page
    LEFT JOIN exchange.comparison AS c ON c.tenant = :tenant AND c.dossier_id = page.dossier_id
    WHERE
        page.wanted
        AND NOT coalesce(
            c.verdict IS NOT NULL
            AND c.wanted_hash = page.wanted_hash
            AND c.recipe = page.recipe
            AND c.dossier_code = page.dossier_code
            AND c.asked_at >= CAST(:since AS timestamptz),
            FALSE
        )
        AND coalesce(c.lease_until <= :now, TRUE)
    ORDER BY page.dossier_id
    LIMIT :size
),
taken AS (
    SELECT count(*) AS dossiers
    FROM candidate
),
claimed AS (
    INSERT INTO exchange.comparison AS c (tenant, dossier_id, dossier_code, lease_until, fence)
    SELECT
        :tenant,
        candidate.dossier_id,
        candidate.dossier_code,
        :lease_until,
        1
    FROM candidate
    ORDER BY candidate.dossier_id
    ON CONFLICT (tenant, dossier_id) DO UPDATE SET
        lease_until = excluded.lease_until,
        fence = c.fence + 1
    RETURNING c.dossier_id::text AS dossier_id, c.fence
)
SELECT
    (
        SELECT array_agg(claimed.dossier_id ORDER BY claimed.dossier_id)
        FROM claimed
    ) AS dossier_ids,
    (
        SELECT array_agg(claimed.fence ORDER BY claimed.dossier_id)
        FROM claimed
    ) AS fences,
    (
        SELECT last.dossier_id::text
        FROM (
            SELECT candidate.dossier_id
            FROM candidate
            CROSS JOIN taken
            WHERE taken.dossiers = :size
            UNION ALL
            SELECT page.dossier_id
            FROM page
            CROSS JOIN taken
            WHERE taken.dossiers < :size
        ) AS last
        ORDER BY last.dossier_id DESC
        LIMIT 1
    ) AS after;
