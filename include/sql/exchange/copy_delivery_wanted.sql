-- Purpose: fill delivery_wanted. Grain: one row per dossier. Idempotency: once per transaction. Locks: none.
COPY delivery_wanted (
    dossier_id, dossier_code, source_id, mode, hold, reasons, version, procedure_revision, wanted_hash, recipe
) FROM STDIN WITH (FORMAT csv)
