-- Purpose: take one token from a bucket; below zero it is a reservation, due after -tokens / rate seconds.
-- Grain: one bucket. Idempotency: none, each run takes a token. Locks: the bucket's row, for this statement.
INSERT INTO exchange.bucket AS bucket (
    tenant,
    endpoint,
    tokens,
    refilled_at
)
VALUES (:tenant, :endpoint, :burst - 1, :now)
ON CONFLICT (tenant, endpoint) DO UPDATE SET
    tokens = least(
        CAST(:burst AS double precision),
        bucket.tokens + greatest(0, extract(EPOCH FROM excluded.refilled_at - bucket.refilled_at)) * :rate
    ) - 1,
    refilled_at = greatest(bucket.refilled_at, excluded.refilled_at)
RETURNING tokens;
