-- Made by `make sql` from has_records.sql.j2 and model/kinds/petition.py: change those.
-- Purpose: whether anything is believed of a source yet: if not, there is nothing to compare with and nothing to retire.
-- Grain: one row. Idempotency: reads only. Locks: none.
SELECT EXISTS (
    SELECT 1
    FROM petition.source_record AS r
    WHERE r.tenant = :tenant AND r.source_id = :source_id
) AS found;
