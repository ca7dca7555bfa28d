-- Made by `make sql` from retire_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: move the fee rows of updated dossier records into history; children are versioned with their dossier.
-- Grain: one history row per child of a superseded version. Idempotency: run once per load in merge's transaction.
-- Locks: deletes rows of updated records, under the tenant's lock.
WITH retired AS (
    DELETE FROM dossier.fee AS believed
    USING staging.verdict AS v
    WHERE
        v.tenant = :tenant
        AND v.load_id = :load_id
        AND v.outcome = 'updated'
        AND believed.tenant = :tenant
        AND believed.source_id = :source_id
        AND believed.source_key = v.source_key
    RETURNING
        believed.tenant,
        believed.source_id,
        believed.source_key,
        believed.child_key,
        believed.version,
        believed.name,
        believed.fee_code,
        believed.kind,
        believed.amount,
        believed.payment_channel,
        believed.paid,
        believed.paid_at
)
INSERT INTO dossier.fee_history (
    tenant,
    source_id,
    source_key,
    child_key,
    version,
    name,
    fee_code,
    kind,
    amount,
    payment_channel,
    paid,
    paid_at,
    superseded_by
)
SELECT
    retired.tenant,
    retired.source_id,
    retired.source_key,
    retired.child_key,
    retired.version,
    retired.name,
    retired.fee_code,
    retired.kind,
    retired.amount,
    retired.payment_channel,
    retired.paid,
    retired.paid_at,
    :load_id
FROM retired;
