-- Purpose: remember until when the other program sent. Grain: one row per tenant. A later instant begins a new
-- adoption; without one the first stays.
-- Idempotency: yes. Locks: the row.
INSERT INTO exchange.adoption AS a (tenant, frozen_at, opened_at)
VALUES (:tenant, coalesce(CAST(:frozen_at AS timestamptz), CAST(:now AS timestamptz)), :now)
ON CONFLICT (tenant) DO UPDATE SET
    frozen_at = coalesce(CAST(:frozen_at AS timestamptz), a.frozen_at),
    assumed_before = CASE WHEN CAST(:frozen_at AS timestamptz) <> a.frozen_at THEN NULL ELSE a.assumed_before END,
    opened_at = CASE WHEN CAST(:frozen_at AS timestamptz) <> a.frozen_at THEN excluded.opened_at ELSE a.opened_at END
RETURNING a.frozen_at, a.assumed_before, a.opened_at;
