-- Purpose: note by which precedence speakers are chosen from now on. Rows come back only after a contract changed it, or
--          for a source that is new: then all dossiers that several sources hold are looked at again.
-- Grain: sources of one tenant whose precedence is not applied yet; `sources`: how many the tenant has.
-- Idempotency: yes. Locks: those sources' rows, until the merge ends: a contract that changes meanwhile waits.
UPDATE ops.source AS s
SET applied_precedence = s.precedence
WHERE s.tenant = :tenant AND s.applied_precedence IS DISTINCT FROM s.precedence
RETURNING (SELECT count(*) FROM ops.source AS other WHERE other.tenant = :tenant) AS sources;
