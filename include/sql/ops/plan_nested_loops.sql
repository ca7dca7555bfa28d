-- Purpose: allow or avoid nested loops for the statements that follow in this transaction; returns what held before.
-- Grain: one setting. Idempotency: yes; gone with the transaction. Locks: none.
WITH before AS MATERIALIZED (
    SELECT current_setting('enable_nestloop') AS setting
)

SELECT
    before.setting,
    set_config('enable_nestloop', :setting, true) AS now
FROM before
