-- Purpose: let the views staging.gate_… show one load to the statements that follow in this transaction.
-- Grain: one setting. Idempotency: yes; gone with the transaction. Locks: none.
SELECT
    set_config('lienthong.tenant', :tenant, true) AS tenant,
    set_config('lienthong.load_id', CAST(:load_id AS text), true) AS load_id
