-- Purpose: what the portal should hold, was sent and acknowledged; steps; evidence of calls; rate limits.
-- Grain: see each table. All are LIST-partitioned by tenant; ops.ensure_tenant makes the partitions.
-- Idempotency: run once by Alembic. Locks: none that matter on an empty database.

-- Where a delivery stands when nobody works on it. Hashes are compared within one recipe, versions across recipes.
CREATE FUNCTION exchange.delivery_state(
    hold text, in_doubt boolean, dossier_code text, recipe smallint, wanted_version bigint, wanted_hash bytea,
    acked_code text, acked_recipe smallint, acked_version bigint, acked_hash bytea, rejected_hash bytea
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN hold IS NOT NULL THEN hold
        WHEN in_doubt THEN 'unsettled'
        WHEN acked_code = dossier_code AND acked_recipe = recipe AND acked_hash = wanted_hash THEN 'acknowledged'
        WHEN acked_code = dossier_code AND acked_recipe <> recipe AND wanted_version <= acked_version
            THEN 'acknowledged'
        WHEN rejected_hash = wanted_hash THEN 'rejected'
        ELSE 'owed'
    END
$$;

-- One row per dossier: what is wanted, what was sent last, what the portal acknowledged. No queue: an older version is
-- simply no longer wanted. `state` is generated, so no writer can make it disagree with the facts beside it.
CREATE TABLE exchange.delivery (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    dossier_code text,
    source_id text NOT NULL,
    mode text NOT NULL,
    hold text,
    reasons text[] NOT NULL DEFAULT '{}',
    derived_version bigint NOT NULL,
    procedure_revision bigint,
    wanted_version bigint NOT NULL,
    wanted_hash bytea,
    recipe smallint NOT NULL,
    sent_version bigint,
    sent_hash bytea,
    sent_recipe smallint,
    sent_code text,
    sent_at timestamptz,
    acked_version bigint,
    acked_hash bytea,
    acked_recipe smallint,
    acked_code text,
    acked_at timestamptz,
    rejected_hash bytea,
    taken_over_at timestamptz,
    presence text NOT NULL DEFAULT 'unknown',
    in_doubt boolean NOT NULL DEFAULT false,
    dispatched boolean NOT NULL DEFAULT false,
    lease_until timestamptz,
    leased_by text,
    fence bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_outcome text,
    last_code text,
    last_message text,
    due text NOT NULL GENERATED ALWAYS AS (
        exchange.delivery_state(
            hold, in_doubt, dossier_code, recipe, wanted_version, wanted_hash,
            acked_code, acked_recipe, acked_version, acked_hash, rejected_hash
        )
    ) STORED,
    state text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN lease_until IS NULL THEN exchange.delivery_state(
                hold, in_doubt, dossier_code, recipe, wanted_version, wanted_hash,
                acked_code, acked_recipe, acked_version, acked_hash, rejected_hash
            )
            ELSE 'sending'
        END
    ) STORED,
    PRIMARY KEY (tenant, dossier_id),
    CHECK (mode IN ('observe', 'shadow', 'own')),
    CHECK (hold IN ('waiting', 'blocked')),
    CHECK (presence IN ('unknown', 'absent', 'present'))
) PARTITION BY LIST (tenant);
COMMENT ON COLUMN exchange.delivery.hold IS 'why nothing may be sent now: waiting or blocked; reasons say more';
COMMENT ON COLUMN exchange.delivery.in_doubt IS 'the last send was never answered: ask before sending again';
COMMENT ON COLUMN exchange.delivery.taken_over_at IS
'when the portal turned out to hold a code that we never sent: steps up to then may be there already';
COMMENT ON COLUMN exchange.delivery.dispatched IS 'the current lease has put this dossier on the wire';
CREATE INDEX delivery_owed ON exchange.delivery (tenant, dossier_id)
WHERE state IN ('owed', 'unsettled', 'sending');

-- How far a tenant's deliveries follow from what is believed: the newest merge and catalogue sync that were looked at,
-- and the mode of each source. Its row lock orders derivations and drains. Without the row all is looked at again.
CREATE TABLE exchange.derive_state (
    tenant text PRIMARY KEY,
    merge_no bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 0,
    modes jsonb NOT NULL DEFAULT '{}'
);

-- Dossiers that derive_state counts as looked at but that are still to be derived: a work list, no order of events.
CREATE TABLE exchange.stale (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    PRIMARY KEY (tenant, dossier_id)
) PARTITION BY LIST (tenant);

-- From a merge to its dossiers, and from a changed procedure to its dossiers, without reading all history.
CREATE INDEX load_merge ON ops.load (tenant, merge_no) WHERE merge_no IS NOT NULL;
CREATE INDEX source_record_procedure ON dossier.source_record (tenant, procedure_code);

-- One row per step that belongs on the portal. The portal knows no step number: a step that may have arrived is never
-- sent again by itself (unsettled).
CREATE TABLE exchange.step_delivery (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    step_key text NOT NULL,
    step_hash bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'owed',
    fence bigint,
    sent_at timestamptz,
    acked_at timestamptz,
    last_outcome text,
    last_code text,
    PRIMARY KEY (tenant, dossier_id, step_key),
    CHECK (state IN ('owed', 'sending', 'acknowledged', 'rejected', 'unsettled'))
) PARTITION BY LIST (tenant);
CREATE INDEX step_delivery_owed ON exchange.step_delivery (tenant, dossier_id) WHERE state = 'owed';

-- Evidence: one row per HTTP call, never its content.
CREATE TABLE exchange.call (
    tenant text NOT NULL,
    call_id uuid NOT NULL DEFAULT gen_random_uuid(),
    run_key text NOT NULL,
    service text NOT NULL,
    items integer NOT NULL,
    outcome text NOT NULL,
    http_status smallint,
    code text,
    duration_ms integer NOT NULL,
    called_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, call_id)
) PARTITION BY LIST (tenant);
CREATE INDEX call_at ON exchange.call (tenant, called_at);

-- Token buckets, shared by every process that calls for the tenant. Tokens below zero are reservations.
CREATE TABLE exchange.bucket (
    tenant text NOT NULL,
    endpoint text NOT NULL,
    tokens double precision NOT NULL,
    refilled_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, endpoint)
) PARTITION BY LIST (tenant);

-- Statistics of a tenant's deliveries after many of them changed.
CREATE FUNCTION exchange.analyze_deliveries(of_tenant text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ANALYZE exchange.%I', 'delivery__' || lower(of_tenant));
    EXECUTE format('ANALYZE exchange.%I', 'step_delivery__' || lower(of_tenant));
END;
$$;
