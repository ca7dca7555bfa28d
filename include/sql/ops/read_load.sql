-- Purpose: one load. Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    load_id,
    tenant,
    source_id,
    kind,
    run_key,
    mode,
    window_from,
    window_to,
    state,
    fence,
    manifest_url,
    observed_at,
    staged_rows,
    set_aside,
    staged_after,
    reading_no,
    clock_ahead
FROM ops.load
WHERE load_id = :load_id;
