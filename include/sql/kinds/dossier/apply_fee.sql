-- Made by `make sql` from apply_child.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: store the fee rows of inserted and updated records with the version they belong to.
-- Grain: one row per child; a child staged twice counts once, the last row wins. Idempotency: as retire_fee.
-- Locks: inserts only, under the tenant's lock.
INSERT INTO dossier.fee (
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
    paid_at
)
SELECT
    :tenant,
    :source_id,
    c.source_key,
    c.child_key,
    v.version,
    c.name,
    c.fee_code,
    c.kind,
    c.amount,
    c.payment_channel,
    c.paid,
    c.paid_at
FROM staging.verdict AS v
INNER JOIN staging.fee AS c
    ON c.tenant = :tenant AND c.load_id = :load_id AND c.source_key = v.source_key
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.outcome IN ('inserted', 'updated')
    AND NOT EXISTS (
        SELECT 1
        FROM staging.superseded AS s
        WHERE s.tenant = :tenant AND s.load_id = :load_id AND s.entity = 'fee' AND s.row_no = c.row_no
    );
