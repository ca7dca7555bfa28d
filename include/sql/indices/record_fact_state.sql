-- Purpose: remember up to which merge the tenant's facts reach, and by which recipe.
-- Grain: one row per tenant. Idempotency: overwrites with the same value. Locks: the row; the caller holds the tenant's.
INSERT INTO indices.fact_state AS fact_state (
    tenant,
    merge_no,
    recipe
)
SELECT
    :tenant,
    max(merge_no),
    :recipe
FROM ops.load
WHERE tenant = :tenant
    AND state = 'merged'
ON CONFLICT (tenant) DO UPDATE
SET
    merge_no = excluded.merge_no,
    recipe = excluded.recipe
RETURNING merge_no
