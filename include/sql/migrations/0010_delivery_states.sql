-- Purpose: deliveries that a person or a rule sets aside, doubtful steps with a way out, periods of doubt that a look at
-- the portal ends, and who decided what.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: the altered tables, briefly; no row is rewritten.

-- `state` was generated. Now it is a plain column with one writer, the trigger below: statements write facts, never it.
ALTER TABLE exchange.delivery ALTER COLUMN state DROP EXPRESSION;
ALTER TABLE exchange.delivery DROP COLUMN due;
ALTER TABLE exchange.delivery ADD COLUMN parked_at timestamptz;
ALTER TABLE exchange.delivery ADD COLUMN parked_for text;
ALTER TABLE exchange.delivery ADD COLUMN parked_by text;
ALTER TABLE exchange.delivery ADD COLUMN doubted_at timestamptz;
COMMENT ON COLUMN exchange.delivery.parked_at IS
'set aside until somebody resumes it: no drain takes it, whatever is derived meanwhile';
COMMENT ON COLUMN exchange.delivery.parked_for IS 'the rule that parked it, or the reason that a person gave';
COMMENT ON COLUMN exchange.delivery.doubted_at IS
'when an update was last left without an answer and nobody has looked at the portal since: what was acknowledged
after it may have been overwritten by a late request';

-- The one transition of a delivery: from the facts of its row to where it stands.
CREATE FUNCTION exchange.move_delivery() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.state := CASE
        WHEN NEW.parked_at IS NOT NULL THEN 'parked'
        WHEN NEW.lease_until IS NOT NULL THEN 'sending'
        ELSE exchange.delivery_state(
            NEW.hold, NEW.in_doubt, NEW.dossier_code, NEW.recipe, NEW.wanted_version, NEW.wanted_hash,
            NEW.acked_code, NEW.acked_recipe, NEW.acked_version, NEW.acked_hash, NEW.rejected_hash
        )
    END;
    RETURN NEW;
END;
$$;
CREATE TRIGGER move_delivery BEFORE INSERT OR UPDATE ON exchange.delivery
FOR EACH ROW EXECUTE FUNCTION exchange.move_delivery();

DROP INDEX exchange.delivery_held;
CREATE INDEX delivery_held ON exchange.delivery (tenant, state) WHERE state IN ('blocked', 'rejected', 'parked');
CREATE INDEX delivery_doubted ON exchange.delivery (tenant, dossier_id) WHERE doubted_at IS NOT NULL;

-- Steps that may have arrived: how often the portal was tried with them, and when it is next.
ALTER TABLE exchange.step_delivery ADD COLUMN attempts integer NOT NULL DEFAULT 0;
ALTER TABLE exchange.step_delivery ADD COLUMN next_attempt_at timestamptz;
CREATE INDEX step_delivery_unsettled ON exchange.step_delivery (tenant, dossier_id) WHERE state = 'unsettled';

-- Who decided what about a delivery or its steps. Written with the decision, never changed.
CREATE TABLE exchange.decision (
    tenant text NOT NULL,
    decision_id uuid NOT NULL DEFAULT gen_random_uuid(),
    dossier_id uuid NOT NULL,
    action text NOT NULL,
    reason text NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    steps integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, decision_id),
    CHECK (action IN ('park', 'resume', 'arrived', 'resend', 'look'))
) PARTITION BY LIST (tenant);
CREATE INDEX decision_of_dossier ON exchange.decision (tenant, dossier_id, decided_at);

SELECT ops.ensure_tenant(t.tenant)
FROM ops.tenant AS t
ORDER BY t.tenant;
