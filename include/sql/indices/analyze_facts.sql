-- Purpose: statistics of a tenant's facts after many of them changed.
-- Grain: one partition. Idempotency: safe twice. Locks: SHARE UPDATE EXCLUSIVE on the partition.
SELECT indices.analyze_facts(:tenant)
