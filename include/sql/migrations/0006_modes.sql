-- Purpose: taking over what another program already delivered, what the portal was seen to hold, which sources may
-- send, and under which code maps a source's rows were read.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: the altered tables, briefly.

-- delivery: what is known about a dossier that another program may have delivered before us.
ALTER TABLE exchange.delivery ADD COLUMN adoption text;
ALTER TABLE exchange.delivery ADD COLUMN adopted_at timestamptz;
ALTER TABLE exchange.delivery ADD COLUMN adopted_version bigint;
ALTER TABLE exchange.delivery ADD CONSTRAINT delivery_adoption_check
CHECK (adoption IN ('verified', 'assumed', 'delta'));
COMMENT ON COLUMN exchange.delivery.adoption IS
'verified: the portal was asked and shows our state; assumed: declared to be there, nobody asked; delta: asked, and
missing or different, so it is owed';
COMMENT ON COLUMN exchange.delivery.taken_over_at IS
'another program delivered this code until then: steps up to then may be on the portal already';

-- A step of an adopted dossier from before the take-over is the other program's. LIKE made the check of each partition
-- a local one, so it is dropped there too.
ALTER TABLE exchange.step_delivery DROP CONSTRAINT step_delivery_state_check;
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT inhrelid::regclass
        FROM pg_inherits
        WHERE inhparent = 'exchange.step_delivery'::regclass
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS step_delivery_state_check', part);
    END LOOP;
END;
$$;
ALTER TABLE exchange.step_delivery ADD CONSTRAINT step_delivery_state_check
CHECK (state IN ('owed', 'sending', 'acknowledged', 'rejected', 'unsettled', 'adopted'));

-- What the portal showed of a dossier when it was asked, against the payload of that moment. `verdict` is null while
-- it is being asked. `seen` holds fields that are not personal: field → {portal, ours}; of others only the name is
-- in `fields`.
CREATE TABLE exchange.comparison (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    dossier_code text NOT NULL,
    wanted_hash bytea,
    recipe smallint,
    verdict text,
    kinds text[] NOT NULL DEFAULT '{}',
    fields text[] NOT NULL DEFAULT '{}',
    seen jsonb NOT NULL DEFAULT '{}',
    asked_at timestamptz,
    lease_until timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, dossier_id),
    CHECK (verdict IN ('same', 'missing', 'different', 'unknown'))
) PARTITION BY LIST (tenant);

-- One row per tenant that takes over from another program: until when that one sent.
CREATE TABLE exchange.adoption (
    tenant text PRIMARY KEY,
    frozen_at timestamptz NOT NULL,
    assumed_before timestamptz,
    opened_at timestamptz NOT NULL
);

-- Sources that may send. A source in mode `own` that is not here yet is treated as in `shadow`.
CREATE TABLE exchange.sender (
    tenant text NOT NULL,
    source_id text NOT NULL,
    opened_at timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant, source_id),
    CHECK (reason IN ('no_history', 'history_sent', 'sent_before'))
);
INSERT INTO exchange.sender (tenant, source_id, opened_at, reason)
SELECT
    x.tenant,
    x.source_id,
    min(x.sent_at),
    'sent_before'
FROM exchange.delivery AS x
WHERE x.sent_at IS NOT NULL
GROUP BY x.tenant, x.source_id;

-- The code maps that a source's believed rows were read with. `changed_load_id`: the first load that met other maps
-- since; rows that no later load read again still stand under the old ones. A full load settles it.
CREATE TABLE ops.source_codes (
    tenant text NOT NULL,
    source_id text NOT NULL,
    codes_hash text NOT NULL,
    settled_load_id bigint NOT NULL,
    changed_load_id bigint,
    PRIMARY KEY (tenant, source_id)
);
