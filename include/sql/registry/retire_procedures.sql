-- Purpose: keep the rows that are about to be superseded. Grain: one row per procedure and revision.
-- Idempotency: once per revision. Locks: inserts only, under lock_catalogue.
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
FROM registry.procedure
WHERE procedure_code = ANY(CAST(:codes AS text[]));
