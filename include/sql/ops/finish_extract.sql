-- Purpose: a load is landed. Grain: one load. Idempotency: only the holder of the newest fence succeeds, once.
--          observed_at is kept within our own time: a clock that was ahead must not make anything look newer than it is.
--          A try that began before readings were numbered has the load's first number.
-- Locks: the load's row.
UPDATE ops.load
SET
    state = 'extracted',
    manifest_url = :manifest_url,
    observed_at = CAST(:observed_at AS timestamptz)
    - greatest(coalesce(CAST(:clock_ahead AS interval), INTERVAL '0'), INTERVAL '0'),
    clock_ahead = :clock_ahead,
    reading_no = coalesce(
        (
            SELECT max(reading.reading_no)
            FROM ops.reading AS reading
            WHERE reading.load_id = :load_id AND reading.fence <= :began_fence
        ),
        (
            SELECT min(reading.reading_no)
            FROM ops.reading AS reading
            WHERE reading.load_id = :load_id
        )
    ),
    extracted_at = :now
WHERE load_id = :load_id AND state = 'opened' AND fence = :fence;
