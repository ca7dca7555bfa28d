-- Purpose: what the registry holds as listed, to recognise a collapsed list. Grain: one row. Idempotency: reads only.
-- Locks: none.
SELECT
    (
        SELECT count(*)
        FROM registry.procedure
        WHERE NOT vanished
    ) AS procedures,
    (
        SELECT count(*)
        FROM registry.agency
        WHERE listed
    ) AS agencies;
