-- Purpose: schemas, loads and watermarks, registry, staging, and what is believed about dossiers.
-- Grain: see each table. Large tables are LIST-partitioned by tenant, one level; ops.ensure_tenant makes the partitions.
-- Idempotency: run once by Alembic. Locks: none that matter on an empty database.

CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA IF NOT EXISTS registry;
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS dossier;
CREATE SCHEMA IF NOT EXISTS quality;
CREATE SCHEMA IF NOT EXISTS exchange;
CREATE SCHEMA IF NOT EXISTS indices;

-- ops ---------------------------------------------------------------------------------------------------------------

-- One row per sending province or ministry. Its row lock serialises merges of the tenant.
CREATE TABLE ops.tenant (
    tenant text PRIMARY KEY,
    merges bigint NOT NULL DEFAULT 0,
    CHECK (tenant ~ '^[A-Z][0-9]{2}$')
);

-- What the contracts say of each source, as of its last load; merge reads the precedence from here.
CREATE TABLE ops.source (
    tenant text NOT NULL,
    source_id text NOT NULL,
    title text NOT NULL,
    precedence smallint NOT NULL,
    mode text NOT NULL,
    contract_hash text NOT NULL,
    PRIMARY KEY (tenant, source_id)
);

-- The load ledger: one row per run of one source. merge_no orders what was believed when, within a tenant. A step that
-- failed leaves the state where it was and says why in `error`; the next try goes on from there.
CREATE TABLE ops.load (
    load_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    source_id text NOT NULL,
    run_key text NOT NULL,
    mode text NOT NULL,
    window_from timestamptz,
    window_to timestamptz,
    state text NOT NULL DEFAULT 'opened',
    contract_hash text NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    manifest_url text,
    observed_at timestamptz,
    staged_rows jsonb,
    merge_no bigint,
    opened_at timestamptz NOT NULL,
    extracted_at timestamptz,
    staged_at timestamptz,
    gated_at timestamptz,
    merged_at timestamptz,
    failed_at timestamptz,
    error text,
    UNIQUE (tenant, source_id, run_key),
    CHECK (state IN ('opened', 'extracted', 'staged', 'gated', 'merged')),
    CHECK (mode IN ('incremental', 'range', 'full'))
);

-- Conservation: one row per load and entity; the check is the promise itself.
CREATE TABLE ops.load_count (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    entity text NOT NULL,
    extracted bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    duplicate bigint NOT NULL,
    stale bigint NOT NULL,
    quarantined bigint NOT NULL,
    PRIMARY KEY (tenant, load_id, entity),
    CHECK (extracted = inserted + updated + unchanged + duplicate + stale + quarantined)
);

-- How far each table of a source has been read; committed with the data it describes.
CREATE TABLE ops.watermark (
    tenant text NOT NULL,
    source_id text NOT NULL,
    table_name text NOT NULL,
    modified_at timestamptz,
    last_key bigint,
    overlap_rows bigint NOT NULL DEFAULT 0,
    load_id bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, table_name)
);

-- registry (reference tables) ---------------------------------------------------------------------------------------

CREATE TABLE registry.tenant (
    tenant text PRIMARY KEY,
    name text NOT NULL,
    admin_code text
);

CREATE TABLE registry.agency (
    agency_code text PRIMARY KEY,
    tenant text NOT NULL,
    name text NOT NULL,
    level text NOT NULL,
    parent_code text,
    listed boolean NOT NULL DEFAULT true,
    CHECK (level IN ('ministry', 'province', 'department', 'commune'))
);
CREATE INDEX agency_tenant ON registry.agency (tenant);

-- Every ancestor of every agency, itself included at depth 0: roll-up without recursion.
CREATE TABLE registry.agency_closure (
    ancestor_code text NOT NULL,
    descendant_code text NOT NULL,
    tenant text NOT NULL,
    depth smallint NOT NULL,
    PRIMARY KEY (ancestor_code, descendant_code)
);
CREATE INDEX agency_closure_descendant ON registry.agency_closure (descendant_code);

CREATE TABLE registry.catalogue_sync (
    revision bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_key text NOT NULL UNIQUE,
    synced_at timestamptz NOT NULL,
    procedures bigint NOT NULL,
    changed bigint NOT NULL,
    vanished bigint NOT NULL,
    agencies bigint NOT NULL
);

-- One row per national base code. `revision` is the catalogue sync that last changed the row.
CREATE TABLE registry.procedure (
    procedure_code text PRIMARY KEY,
    name text NOT NULL,
    field_code text,
    field_name text,
    active boolean NOT NULL,
    vanished boolean NOT NULL DEFAULT false,
    levels smallint[] NOT NULL DEFAULT '{}',
    subjects text[] NOT NULL DEFAULT '{}',
    returns_paper boolean NOT NULL,
    result_codes text[] NOT NULL DEFAULT '{}',
    has_fee boolean NOT NULL,
    max_term_value integer,
    max_term_unit text,
    agencies text[] NOT NULL DEFAULT '{}',
    detail_hash bytea NOT NULL,
    revision bigint NOT NULL
);

CREATE TABLE registry.procedure_history (
    LIKE registry.procedure,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (procedure_code, revision)
);

-- Which online level an agency offers a procedure at (2 information, 3 partly, 4 fully online), as its source says.
CREATE TABLE registry.service (
    tenant text NOT NULL,
    source_id text NOT NULL,
    agency_code text NOT NULL,
    procedure_code text NOT NULL,
    online_level smallint NOT NULL,
    load_id bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, agency_code, procedure_code)
);

CREATE TABLE registry.service_history (
    LIKE registry.service,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, agency_code, procedure_code, load_id)
);

-- Denominators of indicator 1.4 from the national report system, entered by people; history by entered_at.
CREATE TABLE registry.national_report (
    agency_code text NOT NULL,
    period text NOT NULL,
    received bigint NOT NULL,
    entered_at timestamptz NOT NULL,
    PRIMARY KEY (agency_code, period, entered_at)
);

-- staging (unlogged partitions, cleared per load) -------------------------------------------------------------------

CREATE TABLE staging.dossier (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    dossier_code text,
    reference_code text,
    procedure_code text,
    procedure_code_raw text,
    procedure_name text,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    status smallint,
    status_raw text,
    channel smallint,
    subject_type smallint,
    return_method smallint,
    submitted_at timestamptz,
    received_at timestamptz,
    due_at timestamptz,
    finished_at timestamptz,
    returned_at timestamptz,
    refused_at timestamptz,
    has_digitised_component boolean,
    vneid_verified boolean,
    online_payment smallint,
    database_codes text[],
    applicant_name text,
    applicant_id_number text,
    applicant_phone text,
    applicant_email text,
    applicant_address text,
    abstract text,
    source_modified_at timestamptz,
    was_not_nfc boolean
) PARTITION BY LIST (tenant);

CREATE TABLE staging.step (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    child_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    step_no bigint,
    status smallint,
    status_raw text,
    occurred_at timestamptz,
    started_at timestamptz,
    due_at timestamptz,
    actor_title text,
    department text,
    actor_name text,
    content text
) PARTITION BY LIST (tenant);

CREATE TABLE staging.document (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    child_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    role text,
    component_code text,
    result_code text,
    has_file boolean,
    removed boolean,
    digitised boolean,
    reuse smallint,
    from_citizen_store boolean,
    name text,
    url text
) PARTITION BY LIST (tenant);

CREATE TABLE staging.fee (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_id text NOT NULL,
    source_key text,
    child_key text,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    type_errors text[],
    name text,
    fee_code text,
    kind text,
    amount bigint,
    payment_channel smallint,
    paid boolean,
    paid_at timestamptz
) PARTITION BY LIST (tenant);

-- Every failing row of a load with every reason, written by the gate, read by merge.
CREATE TABLE staging.violation (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    entity text NOT NULL,
    row_no bigint NOT NULL,
    source_key text,
    child_key text,
    rule_id text NOT NULL,
    severity text NOT NULL
) PARTITION BY LIST (tenant);

-- The verdict of merge on each staged dossier: one row per staged dossier row.
CREATE TABLE staging.verdict (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    row_no bigint NOT NULL,
    source_key text,
    outcome text NOT NULL,
    record_hash bytea,
    blocked_reasons text[] NOT NULL DEFAULT '{}',
    dossier_id uuid,
    version bigint
) PARTITION BY LIST (tenant);

-- dossier -----------------------------------------------------------------------------------------------------------

-- What one system says about one dossier: only values that are not personal. blocked_reasons come from the gate.
CREATE TABLE dossier.source_record (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    dossier_id uuid NOT NULL,
    version bigint NOT NULL,
    record_hash bytea NOT NULL,
    recipe smallint NOT NULL,
    blocked_reasons text[] NOT NULL DEFAULT '{}',
    observed_at timestamptz NOT NULL,
    load_id bigint NOT NULL,
    dossier_code text,
    reference_code text,
    procedure_code text,
    procedure_code_raw text,
    procedure_name text,
    agency_code text,
    agency_code_raw text,
    agency_name text,
    status smallint,
    status_raw text,
    channel smallint,
    subject_type smallint,
    return_method smallint,
    submitted_at timestamptz,
    received_at timestamptz,
    due_at timestamptz,
    finished_at timestamptz,
    returned_at timestamptz,
    refused_at timestamptz,
    has_digitised_component boolean,
    vneid_verified boolean,
    online_payment smallint,
    database_codes text[],
    source_modified_at timestamptz,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);
CREATE INDEX source_record_dossier ON dossier.source_record (tenant, dossier_id);

-- The one place of the warehouse proper that holds personal data of applicants.
CREATE TABLE dossier.person (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    version bigint NOT NULL,
    applicant_name text,
    applicant_id_number text,
    applicant_phone text,
    applicant_email text,
    applicant_address text,
    abstract text,
    PRIMARY KEY (tenant, source_id, source_key)
) PARTITION BY LIST (tenant);

CREATE TABLE dossier.step (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    version bigint NOT NULL,
    step_no bigint,
    status smallint,
    status_raw text,
    occurred_at timestamptz,
    started_at timestamptz,
    due_at timestamptz,
    actor_title text,
    department text,
    actor_name text,
    content text,
    PRIMARY KEY (tenant, source_id, source_key, child_key)
) PARTITION BY LIST (tenant);
COMMENT ON COLUMN dossier.step.actor_name IS 'personal';
COMMENT ON COLUMN dossier.step.content IS 'personal';

CREATE TABLE dossier.document (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    version bigint NOT NULL,
    role text,
    component_code text,
    result_code text,
    has_file boolean,
    removed boolean,
    digitised boolean,
    reuse smallint,
    from_citizen_store boolean,
    name text,
    url text,
    PRIMARY KEY (tenant, source_id, source_key, child_key)
) PARTITION BY LIST (tenant);
COMMENT ON COLUMN dossier.document.name IS 'personal';
COMMENT ON COLUMN dossier.document.url IS 'personal';

CREATE TABLE dossier.fee (
    tenant text NOT NULL,
    source_id text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    version bigint NOT NULL,
    name text,
    fee_code text,
    kind text,
    amount bigint,
    payment_channel smallint,
    paid boolean,
    paid_at timestamptz,
    PRIMARY KEY (tenant, source_id, source_key, child_key)
) PARTITION BY LIST (tenant);

-- What we believe: one row per dossier, pointing at the source record that speaks for it. `version` rises with every
-- change of that record or of the choice; nothing here is touched by a load that changed nothing.
CREATE TABLE dossier.dossier (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    dossier_code text,
    source_id text NOT NULL,
    source_key text NOT NULL,
    version bigint NOT NULL,
    load_id bigint NOT NULL,
    opened_load_id bigint NOT NULL,
    PRIMARY KEY (tenant, dossier_id)
) PARTITION BY LIST (tenant);
CREATE UNIQUE INDEX dossier_code ON dossier.dossier (tenant, dossier_code) WHERE dossier_code IS NOT NULL;
CREATE INDEX dossier_load ON dossier.dossier (tenant, load_id);

CREATE TABLE dossier.dossier_code_history (
    tenant text NOT NULL,
    dossier_id uuid NOT NULL,
    dossier_code text NOT NULL,
    load_id bigint NOT NULL,
    PRIMARY KEY (tenant, dossier_id, load_id)
) PARTITION BY LIST (tenant);

-- History holds only superseded rows; a dossier's children are versioned with it.
CREATE TABLE dossier.source_record_history (
    LIKE dossier.source_record,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version)
) PARTITION BY LIST (tenant);

CREATE TABLE dossier.person_history (
    LIKE dossier.person,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version)
) PARTITION BY LIST (tenant);

CREATE TABLE dossier.step_history (
    LIKE dossier.step,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version, child_key)
) PARTITION BY LIST (tenant);

CREATE TABLE dossier.document_history (
    LIKE dossier.document,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version, child_key)
) PARTITION BY LIST (tenant);

CREATE TABLE dossier.fee_history (
    LIKE dossier.fee,
    superseded_by bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, source_key, version, child_key)
) PARTITION BY LIST (tenant);

-- Creates what a tenant needs: its row and one partition of every partitioned table. Safe to call at any time, twice.
CREATE FUNCTION ops.ensure_tenant(new_tenant text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    parent record;
    partition_name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('lienthong.ensure_tenant'));
    INSERT INTO ops.tenant (tenant) VALUES (new_tenant) ON CONFLICT DO NOTHING;
    FOR parent IN
        SELECT ns.nspname AS schema_name, c.relname AS table_name
        FROM pg_partitioned_table AS p
        INNER JOIN pg_class AS c ON c.oid = p.partrelid
        INNER JOIN pg_namespace AS ns ON ns.oid = c.relnamespace
        WHERE ns.nspname IN ('staging', 'dossier', 'quality', 'exchange', 'indices')
        ORDER BY ns.nspname, c.relname
    LOOP
        partition_name := parent.table_name || '__' || lower(new_tenant);
        IF to_regclass(format('%I.%I', parent.schema_name, partition_name)) IS NULL THEN
            -- ATTACH lets readers and writers of other tenants go on; PARTITION OF would lock them all out.
            EXECUTE format(
                'CREATE %s TABLE %I.%I (LIKE %I.%I INCLUDING ALL EXCLUDING IDENTITY)',
                CASE WHEN parent.schema_name = 'staging' THEN 'UNLOGGED' ELSE '' END,
                parent.schema_name, partition_name, parent.schema_name, parent.table_name
            );
            EXECUTE format(
                'ALTER TABLE %I.%I ATTACH PARTITION %I.%I FOR VALUES IN (%L)',
                parent.schema_name, parent.table_name, parent.schema_name, partition_name, new_tenant
            );
        END IF;
    END LOOP;
END;
$$;

-- Statistics of what was just staged: without them the planner takes a new load for an empty table.
CREATE FUNCTION ops.analyze_staging(of_tenant text, tables text []) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY tables LOOP
        EXECUTE format('ANALYZE staging.%I', table_name || '__' || lower(of_tenant));
    END LOOP;
END;
$$;

-- One value inside a hash: its length keeps neighbours apart, and NULL differs from ''. Recipe 1 of the record hash.
CREATE FUNCTION ops.hash_part(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(length(value)::text || ':' || value, '-') $$;

-- What a load met that nobody mapped: columns and code words of a source. A finding, never silence.
CREATE TABLE ops.finding (
    tenant text NOT NULL,
    source_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    seen bigint NOT NULL,
    first_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, kind, name)
);
