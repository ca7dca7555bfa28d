-- Purpose: flag procedures that are no longer listed, keeping the row they had. Never deletes.
-- Grain: one row per procedure newly vanished. Idempotency: flagged rows are left alone. Locks: those rows.
WITH gone AS (
    SELECT *
    FROM registry.procedure
    WHERE NOT vanished AND procedure_code <> ALL(CAST(:listed AS text[]))
),
kept AS (
    INSERT INTO registry.procedure_history (
        procedure_code,
        name,
        field_code,
        field_name,
        active,
        vanished,
        levels,
        subjects,
        returns_paper,
        result_codes,
        has_fee,
        max_term_value,
        max_term_unit,
        agencies,
        detail_hash,
        revision,
        superseded_by
    )
    SELECT
        procedure_code,
        name,
        field_code,
        field_name,
        active,
        vanished,
        levels,
        subjects,
        returns_paper,
        result_codes,
        has_fee,
        max_term_value,
        max_term_unit,
        agencies,
        detail_hash,
        revision,
        :revision
    FROM gone
)
UPDATE registry.procedure AS p SET
    vanished = true,
    revision = :revision
FROM gone
WHERE p.procedure_code = gone.procedure_code
RETURNING p.procedure_code;
