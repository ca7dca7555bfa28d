-- Purpose: keep the evidence of HTTP calls. Grain: one row per call. Idempotency: none, callers hand each over once.
-- Locks: inserts only.
INSERT INTO exchange.call (
    tenant,
    run_key,
    service,
    items,
    outcome,
    http_status,
    code,
    duration_ms,
    called_at
)
VALUES (:tenant, :run_key, :service, :items, :outcome, :http_status, :code, :duration_ms, :called_at);
