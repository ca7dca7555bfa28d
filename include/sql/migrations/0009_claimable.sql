-- Purpose: one rule for the deliveries that a drain may take, for those who take them and those who ask whether any are
--          there.
-- Grain: the function. Idempotency: run once by Alembic. Locks: none that matter.

-- An owed or unsettled delivery whose time has come, or one whose drain died. Callers name the states themselves, so that
-- the partial index on them is used.
CREATE FUNCTION exchange.is_claimable(
    state text, mode text, next_attempt_at timestamptz, lease_until timestamptz, moment timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (state <> 'sending' AND mode = 'own' AND (next_attempt_at IS NULL OR next_attempt_at <= moment))
        OR lease_until <= moment
$$;
