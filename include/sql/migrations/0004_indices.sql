-- Purpose: inputs of verdicts per dossier, and the scores of each run.
-- Grain: see each table. Large tables are LIST-partitioned by tenant; ops.ensure_tenant makes the partitions.
-- Idempotency: run once by Alembic. Locks: none that matter on new tables.

-- One narrow row per believed dossier: inputs of verdicts, never a verdict (that depends on the period). Maintained for
-- dossiers whose version changed. `recipe` is the number of the derivation in refresh_facts.sql.
-- end_at null: no end known, the dossier is open. supplement_back_at[i]: when the request asked at supplement_asked_at[i]
-- was met (null: not yet); both null when nothing was ever asked.
CREATE TABLE indices.dossier_fact (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    version bigint NOT NULL,
    recipe smallint NOT NULL,
    agency_code text,
    procedure_code text,
    channel smallint,
    submitted_at timestamptz,
    received_at timestamptz,
    started_at timestamptz,
    due_at timestamptz,
    end_status smallint,
    end_at timestamptz,
    supplement_asked_at timestamptz[],
    supplement_back_at timestamptz[],
    online_payment smallint,
    has_component_file boolean NOT NULL,
    has_result_file boolean NOT NULL,
    has_electronic_result boolean NOT NULL,
    reused_component boolean NOT NULL,
    from_citizen_store boolean NOT NULL,
    vneid_verified boolean NOT NULL,
    fee_any boolean NOT NULL,
    fee_synced_nonzero boolean NOT NULL,
    fee_all_zero boolean NOT NULL,
    database_codes text[],
    -- The last instant at which a month can ask about the dossier: open ones stay for ever, so that a month reads open
    -- and recent dossiers, not all years.
    active_until timestamptz GENERATED ALWAYS AS (
        CASE
            WHEN end_at IS NULL THEN timestamptz 'infinity'
            ELSE greatest(end_at, received_at, started_at, submitted_at)
        END
    ) STORED,
    PRIMARY KEY (tenant, dossier_id)
) PARTITION BY LIST (tenant);
CREATE INDEX dossier_fact_active ON indices.dossier_fact (tenant, active_until);

-- Up to which merge the facts of a tenant reach, all of them derived by this recipe. merge_no null: nothing was merged.
CREATE TABLE indices.fact_state (
    tenant text PRIMARY KEY,
    merge_no bigint,
    recipe smallint NOT NULL
);

-- Every definition that was ever used, as it was used.
CREATE TABLE indices.definition (
    definition_hash text PRIMARY KEY,
    definition_id text NOT NULL,
    version integer NOT NULL,
    body jsonb NOT NULL,
    first_used_at timestamptz NOT NULL
);

-- One run of the engine. `loads` says for each tenant the newest merge that was considered.
CREATE TABLE indices.score_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_key text NOT NULL UNIQUE,
    definition_hash text NOT NULL REFERENCES indices.definition,
    month text NOT NULL,
    kind text NOT NULL,
    as_of timestamptz NOT NULL,
    computed_at timestamptz NOT NULL,
    tenants text[] NOT NULL,
    loads jsonb NOT NULL,
    CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    CHECK (kind IN ('provisional', 'final'))
);
CREATE INDEX score_run_month ON indices.score_run (month, kind, as_of);

-- The spine: every listed unit of the run's tenants, idle ones too, named as it was called then.
CREATE TABLE indices.score_unit (
    tenant text NOT NULL,
    run_id bigint NOT NULL,
    agency_code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    PRIMARY KEY (tenant, run_id, agency_code),
    CHECK (kind IN ('ministry', 'province', 'department', 'commune'))
) PARTITION BY LIST (tenant);

-- Unit × component. Null is not 0: score null means not scored, and the flags say why.
CREATE TABLE indices.component_score (
    tenant text NOT NULL,
    run_id bigint NOT NULL,
    agency_code text NOT NULL,
    component_id text NOT NULL,
    numerator numeric,
    denominator numeric,
    ratio numeric,
    score numeric(5, 2),
    flags text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, run_id, agency_code, component_id)
) PARTITION BY LIST (tenant);

-- Unit × group, and TOTAL. max_available: points of the components that have a feed. percent, rank and band: TOTAL only.
CREATE TABLE indices.unit_score (
    tenant text NOT NULL,
    run_id bigint NOT NULL,
    agency_code text NOT NULL,
    group_code text NOT NULL,
    score numeric(5, 2),
    max_available numeric(5, 2) NOT NULL,
    percent numeric(5, 2),
    rank integer,
    band text,
    PRIMARY KEY (tenant, run_id, agency_code, group_code)
) PARTITION BY LIST (tenant);

-- Statistics of a tenant's facts after many of them changed.
CREATE FUNCTION indices.analyze_facts(of_tenant text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ANALYZE indices.%I', 'dossier_fact__' || lower(of_tenant));
END;
$$;
