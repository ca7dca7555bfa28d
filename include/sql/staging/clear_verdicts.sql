-- Purpose: remove the verdicts of an earlier try of the same merge. Grain: one load. Idempotency: yes. Locks: its rows.
DELETE FROM staging.verdict WHERE tenant = :tenant AND load_id = :load_id;
