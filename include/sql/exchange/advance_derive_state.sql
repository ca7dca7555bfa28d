-- Purpose: remember how far note_stale_dossiers has looked, in its transaction.
-- Grain: one row. Idempotency: yes; it only moves on. Locks: the row; the caller holds it.
UPDATE exchange.derive_state SET
    merge_no = greatest(merge_no, :merge_no),
    revision = greatest(revision, :revision),
    modes = CAST(:modes AS jsonb)
WHERE tenant = :tenant;
