-- Purpose: in a walk by key, each page is joined by key in the order in which its statement names the tables. Where tables
-- have grown since their statistics were taken, the planner would rather read all of one for every page.
-- Grain: the transaction. Idempotency: yes. Locks: none.
SELECT
    set_config('enable_hashjoin', 'off', TRUE),
    set_config('enable_mergejoin', 'off', TRUE),
    set_config('enable_seqscan', 'off', TRUE),
    set_config('enable_bitmapscan', 'off', TRUE),
    set_config('enable_sort', 'off', TRUE),
    set_config('join_collapse_limit', '1', TRUE);
