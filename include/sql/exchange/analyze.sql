-- Purpose: fresh statistics after many deliveries were derived, so that claims use their indexes. Grain: two tables.
-- Idempotency: yes. Locks: none that block readers or writers.
ANALYZE exchange.delivery;
ANALYZE exchange.step_delivery;
