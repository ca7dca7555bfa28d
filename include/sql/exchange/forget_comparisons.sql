-- Purpose: ask about every dossier again. Grain: the tenant's comparisons that nobody works on. Idempotency: yes.
-- Locks: those rows.
DELETE FROM exchange.comparison AS c
WHERE c.tenant = :tenant AND coalesce(c.lease_until <= :now, TRUE);
