-- Purpose: fresh statistics after many deliveries were derived, so that claims use their indexes.
-- Grain: the tenant's partitions of two tables. Idempotency: yes. Locks: SHARE UPDATE EXCLUSIVE on those partitions.
SELECT exchange.analyze_deliveries(:tenant);
