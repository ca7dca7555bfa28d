-- Purpose: give every role that is there the rights of its step. Grain: all tables of the warehouse, partitions excepted.
-- Idempotency: yes. Locks: none that matter.
SELECT ops.grant_rights();
