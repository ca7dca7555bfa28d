-- Purpose: take one page of dossiers as delivered by the other program: final, their last event before a declared
-- instant, not delivered by us and not decided since that program stopped. What is acknowledged is our payload of now,
-- so that only a later change is owed.
-- Grain: one page of deliveries by id after a key; one row back: the page's last id (null: the end), dossiers adopted.
-- Idempotency: decided dossiers are left alone. Locks: those rows in key order; the caller holds derive_state.
WITH page AS MATERIALIZED (
    SELECT
        x.dossier_id,
        x.derived_version
    FROM exchange.delivery AS x
    WHERE x.tenant = :tenant AND x.dossier_id > CAST(:after AS uuid)
    ORDER BY x.dossier_id
    LIMIT :page_size
),
-- LIMIT 1 keeps both lookups lookups: without fresh statistics the planner would read whole tables for them.
believed AS MATERIALIZED (
    SELECT
        page.dossier_id,
        d.source_id,
        d.source_key
    FROM page
    CROSS JOIN LATERAL (
        SELECT
            own.version,
            own.source_id,
            own.source_key
        FROM dossier.dossier AS own
        WHERE own.tenant = :tenant AND own.dossier_id = page.dossier_id
        ORDER BY own.dossier_id
        LIMIT 1
    ) AS d
    WHERE d.version = page.derived_version
),
final AS MATERIALIZED (
    SELECT believed.dossier_id
    FROM believed
    CROSS JOIN LATERAL (
        SELECT
            own.status,
            greatest(
                own.submitted_at, own.received_at, own.refused_at, own.finished_at, own.returned_at
            ) AS last_date
        FROM dossier.source_record AS own
        WHERE own.tenant = :tenant AND own.source_id = believed.source_id AND own.source_key = believed.source_key
        ORDER BY own.source_key
        LIMIT 1
    ) AS r
    CROSS JOIN LATERAL (
        SELECT max(k.occurred_at) AS occurred_at
        FROM dossier.step AS k
        WHERE k.tenant = :tenant AND k.source_id = believed.source_id AND k.source_key = believed.source_key
    ) AS last_step
    WHERE
        r.status = ANY(CAST(:final_statuses AS smallint[]))
        AND greatest(r.last_date, last_step.occurred_at) < CAST(:assumed_before AS timestamptz)
),
locked AS MATERIALIZED (
    SELECT x.dossier_id
    FROM exchange.delivery AS x
    WHERE
        x.tenant = :tenant
        AND x.dossier_id = ANY(ARRAY(SELECT final.dossier_id FROM final))
        AND x.mode <> 'observe'
        AND x.wanted_hash IS NOT NULL
        AND x.dossier_code IS NOT NULL
        AND x.lease_until IS NULL
        AND NOT x.in_doubt
        AND coalesce(x.acked_at < CAST(:frozen_at AS timestamptz), TRUE)
        AND coalesce(x.adopted_at < CAST(:frozen_at AS timestamptz), TRUE)
    ORDER BY x.dossier_id
    FOR UPDATE OF x
),
adopted AS (
    UPDATE exchange.delivery AS x SET
        adoption = 'assumed',
        adopted_at = :now,
        adopted_version = x.derived_version,
        taken_over_at = :frozen_at,
        acked_version = x.wanted_version,
        acked_hash = x.wanted_hash,
        acked_recipe = x.recipe,
        acked_code = x.dossier_code,
        acked_at = :frozen_at,
        rejected_hash = NULL
    FROM locked
    WHERE x.tenant = :tenant AND x.dossier_id = locked.dossier_id
    RETURNING x.dossier_id
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
        FROM adopted
    ) AS dossiers;
