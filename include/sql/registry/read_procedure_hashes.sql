-- Purpose: what is held of each procedure, to write only what changed. Grain: one row per procedure.
-- Idempotency: reads only. Locks: none.
SELECT
    procedure_code,
    detail_hash,
    vanished
FROM registry.procedure;
