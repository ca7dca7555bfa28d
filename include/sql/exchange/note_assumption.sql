-- Purpose: remember what was declared. Grain: one row. Idempotency: yes; the widest declaration stays. Locks: the row.
UPDATE exchange.adoption SET assumed_before = greatest(assumed_before, :assumed_before)
WHERE tenant = :tenant;
