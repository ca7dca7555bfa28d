-- Purpose: fingerprints of the dossiers of one batch, for find_known and remember.
-- Grain: one dossier that came once. Idempotency: once per transaction. Locks: none.
CREATE TEMPORARY TABLE landed (
    place integer NOT NULL,
    source_key text NOT NULL,
    low bigint NOT NULL,
    high bigint NOT NULL
) ON COMMIT DROP;
