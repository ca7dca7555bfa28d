-- Purpose: keep the definition that a run used, as it was used.
-- Grain: one row per content. Idempotency: a known content is left alone. Locks: none.
INSERT INTO indices.definition (
    definition_hash,
    definition_id,
    version,
    body,
    first_used_at
)
VALUES (
    :definition_hash,
    :definition_id,
    :version,
    CAST(:body AS jsonb),
    :now
)
ON CONFLICT (definition_hash) DO NOTHING
