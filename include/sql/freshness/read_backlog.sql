-- Purpose: what a tenant still owes the portal, how long the oldest of it is known, and what is held back.
-- Grain: one row. Reads only the parts of the deliveries that partial indexes hold, never all of them.
-- Idempotency: reads only. Locks: none.
WITH open_deliveries AS (
    SELECT
        count(*) FILTER (WHERE delivery.state IN ('owed', 'sending')) AS owed,
        count(*) FILTER (WHERE delivery.state = 'unsettled') AS unsettled,
        min(load.merged_at) FILTER (WHERE delivery.state IN ('owed', 'sending')) AS oldest_owed_at,
        min(delivery.sent_at) FILTER (WHERE delivery.state = 'unsettled') AS oldest_unsettled_at
    FROM exchange.delivery AS delivery
    LEFT JOIN dossier.dossier AS believed
        ON believed.tenant = :tenant AND believed.dossier_id = delivery.dossier_id
    LEFT JOIN ops.load AS load ON load.load_id = believed.load_id
    WHERE delivery.tenant = :tenant AND delivery.state IN ('owed', 'unsettled', 'sending')
),
held_deliveries AS (
    SELECT
        count(*) FILTER (WHERE delivery.state = 'blocked') AS blocked,
        count(*) FILTER (WHERE delivery.state = 'rejected') AS rejected,
        count(*) FILTER (WHERE delivery.state = 'parked') AS parked,
        min(delivery.parked_at) AS oldest_parked_at
    FROM exchange.delivery AS delivery
    WHERE delivery.tenant = :tenant AND delivery.state IN ('blocked', 'rejected', 'parked')
),
doubtful_steps AS (
    SELECT
        count(*) AS steps_unsettled,
        min(coalesce(step.sent_at, step.occurred_at)) AS oldest_step_at
    FROM exchange.step_delivery AS step
    WHERE step.tenant = :tenant AND step.state = 'unsettled'
)
SELECT
    open_deliveries.owed,
    open_deliveries.unsettled,
    open_deliveries.oldest_owed_at,
    open_deliveries.oldest_unsettled_at,
    held_deliveries.blocked,
    held_deliveries.rejected,
    held_deliveries.parked,
    held_deliveries.oldest_parked_at,
    doubtful_steps.steps_unsettled,
    doubtful_steps.oldest_step_at
FROM open_deliveries, held_deliveries, doubtful_steps;
