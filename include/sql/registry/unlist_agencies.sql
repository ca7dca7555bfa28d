-- Purpose: flag agencies that are no longer listed; they keep their dossiers. Grain: one row per agency.
-- Idempotency: flagged rows are left alone. Locks: those rows, under lock_catalogue.
UPDATE registry.agency SET listed = false
WHERE listed AND agency_code <> ALL(CAST(:codes AS text[]));
