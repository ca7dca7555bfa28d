-- Purpose: take some tokens from a bucket; below zero they are reserved, due after -tokens / rate seconds.
-- Grain: one bucket. Idempotency: none, each run takes tokens. Locks: the bucket's row, for this statement.
INSERT INTO exchange.bucket AS bucket (
    tenant,
    endpoint,
    tokens,
    refilled_at
)
VALUES (:tenant, :endpoint, :burst - :count, :now)
ON CONFLICT (tenant, endpoint) DO UPDATE SET
    tokens = least(
        CAST(:burst AS double precision),
        bucket.tokens + greatest(0, extract(EPOCH FROM excluded.refilled_at - bucket.refilled_at)) * :rate
    ) - :count,
    refilled_at = greatest(bucket.refilled_at, excluded.refilled_at)
RETURNING tokens;
