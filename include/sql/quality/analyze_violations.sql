-- Purpose: statistics of the violations that the gate just stored. Grain: one tenant. Idempotency: yes.
-- Locks: SHARE UPDATE EXCLUSIVE on the tenant's partition of staging.violation until the transaction ends.
SELECT quality.analyze_violations(:tenant)
