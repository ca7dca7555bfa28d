-- Purpose: rules, results of the gate, current violations, quarantine, and the two views that merge reads.
-- Grain: see each table. Large tables are LIST-partitioned by tenant; ops.ensure_tenant makes the partitions.
-- Idempotency: run once by Alembic. Locks: none that matter on an empty database.
-- No value of a dossier is kept here, only keys and names of rules: quality.* holds no personal data.

-- The rules as the suites last stated them (reference table).
CREATE TABLE quality.rule (
    rule_id text NOT NULL,
    entity text NOT NULL,
    severity text NOT NULL,
    field text,
    owner text NOT NULL,
    title_vi text NOT NULL,
    explanation_vi text NOT NULL,
    PRIMARY KEY (entity, rule_id),
    CHECK (entity IN ('dossier', 'step', 'document', 'fee')),
    CHECK (severity IN ('reject', 'block', 'warn'))
);

-- One row per load and rule: how many staged rows were looked at, how many failed.
CREATE TABLE quality.gate_result (
    tenant text NOT NULL,
    load_id bigint NOT NULL,
    entity text NOT NULL,
    rule_id text NOT NULL,
    severity text NOT NULL,
    evaluated bigint NOT NULL,
    failed bigint NOT NULL,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, load_id, entity, rule_id),
    CHECK (failed BETWEEN 0 AND evaluated)
) PARTITION BY LIST (tenant);

-- The latest word on each record and rule it ever failed. Keys are '' where the source sent none; child_key is '' for a
-- dossier. first_load_id opens the present episode; a record that fails again after it was resolved starts a new one.
CREATE TABLE quality.violation (
    tenant text NOT NULL,
    source_id text NOT NULL,
    entity text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    rule_id text NOT NULL,
    severity text NOT NULL,
    first_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    resolved_load_id bigint,
    PRIMARY KEY (tenant, source_id, entity, source_key, child_key, rule_id)
) PARTITION BY LIST (tenant);
CREATE INDEX violation_open ON quality.violation (tenant, source_id, entity, rule_id) WHERE resolved_load_id IS NULL;
CREATE INDEX violation_open_dossier ON quality.violation (tenant, source_id, source_key) WHERE resolved_load_id IS NULL;

-- One row per rejected dossier (with its children) or rejected child without a dossier in its load, and stay in
-- quarantine. The pointer leads into the landed batch, where the values are. `fingerprint` is '' for a record with a
-- key; else a digest of its values that are not personal, so that the same keyless record is not quarantined again by
-- every load that re-reads it.
CREATE TABLE quality.quarantine (
    tenant text NOT NULL,
    source_id text NOT NULL,
    entity text NOT NULL,
    source_key text NOT NULL,
    child_key text NOT NULL,
    fingerprint text NOT NULL,
    opened_load_id bigint NOT NULL,
    last_load_id bigint NOT NULL,
    released_load_id bigint,
    state text NOT NULL DEFAULT 'open',
    reasons text[] NOT NULL,
    manifest_url text NOT NULL,
    landing_part integer NOT NULL,
    landing_row bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    released_at timestamptz,
    PRIMARY KEY (tenant, source_id, entity, source_key, child_key, fingerprint, opened_load_id),
    CHECK (state IN ('open', 'released')),
    CHECK ((state = 'released') = (released_load_id IS NOT NULL))
) PARTITION BY LIST (tenant);
CREATE UNIQUE INDEX quarantine_open ON quality.quarantine
(tenant, source_id, entity, source_key, child_key, fingerprint) WHERE state = 'open';

-- Dossier rows of a load that must not be merged: rejected themselves, or because of one of their children.
CREATE VIEW quality.load_rejected AS
SELECT
    v.tenant,
    v.load_id,
    v.row_no
FROM staging.violation AS v
WHERE v.entity = 'dossier' AND v.severity = 'reject'
UNION
SELECT
    d.tenant,
    d.load_id,
    d.row_no
FROM staging.violation AS v
INNER JOIN staging.dossier AS d
    ON v.tenant = d.tenant AND v.load_id = d.load_id AND v.source_key = d.source_key
WHERE v.entity <> 'dossier' AND v.severity = 'reject';

-- Child rows of a load that must not be merged: rejected themselves, or because their dossier is.
CREATE VIEW quality.load_rejected_child AS
WITH rejected_dossier AS (
    SELECT DISTINCT
        d.tenant,
        d.load_id,
        d.source_key
    FROM quality.load_rejected AS r
    INNER JOIN staging.dossier AS d ON r.tenant = d.tenant AND r.load_id = d.load_id AND r.row_no = d.row_no
    WHERE d.source_key IS NOT NULL
)

SELECT
    v.tenant,
    v.load_id,
    v.entity,
    v.row_no
FROM staging.violation AS v
WHERE v.entity <> 'dossier' AND v.severity = 'reject'
UNION
SELECT
    c.tenant,
    c.load_id,
    'step' AS entity,
    c.row_no
FROM staging.step AS c
INNER JOIN rejected_dossier AS r ON c.tenant = r.tenant AND c.load_id = r.load_id AND c.source_key = r.source_key
UNION
SELECT
    c.tenant,
    c.load_id,
    'document' AS entity,
    c.row_no
FROM staging.document AS c
INNER JOIN rejected_dossier AS r ON c.tenant = r.tenant AND c.load_id = r.load_id AND c.source_key = r.source_key
UNION
SELECT
    c.tenant,
    c.load_id,
    'fee' AS entity,
    c.row_no
FROM staging.fee AS c
INNER JOIN rejected_dossier AS r ON c.tenant = r.tenant AND c.load_id = r.load_id AND c.source_key = r.source_key;

-- Why a dossier row of a load must not be sent: names of rules, sorted, each once.
CREATE VIEW quality.load_blocked AS
WITH reason AS (
    SELECT
        v.tenant,
        v.load_id,
        v.row_no,
        v.rule_id
    FROM staging.violation AS v
    WHERE v.entity = 'dossier' AND v.severity = 'block'
    UNION
    SELECT
        d.tenant,
        d.load_id,
        d.row_no,
        v.rule_id
    FROM staging.violation AS v
    INNER JOIN staging.dossier AS d
        ON v.tenant = d.tenant AND v.load_id = d.load_id AND v.source_key = d.source_key
    WHERE v.entity <> 'dossier' AND v.severity = 'block'
)

SELECT
    tenant,
    load_id,
    row_no,
    array_agg(rule_id ORDER BY rule_id COLLATE "C") AS reasons
FROM reason
GROUP BY tenant, load_id, row_no;

-- Records of a load as the quality tables name them, but for those that merge set aside as duplicate or stale: what
-- an older reading of a dossier did is no news about it. Fingerprints leave out personal values (model.canonical).
CREATE VIEW quality.load_record AS
WITH set_aside AS NOT MATERIALIZED (
    SELECT
        tenant,
        load_id,
        source_key,
        bool_and(outcome IN ('duplicate', 'stale')) AS whole_dossier
    FROM staging.verdict
    WHERE source_key IS NOT NULL
    GROUP BY tenant, load_id, source_key
)

SELECT
    c.tenant,
    c.load_id,
    'dossier' AS entity,
    c.row_no,
    CASE WHEN btrim(COALESCE(c.source_key, '')) = '' THEN '' ELSE c.source_key END AS source_key,
    '' AS child_key,
    CASE
        WHEN btrim(COALESCE(c.source_key, '')) = ''
            THEN md5((to_jsonb(c) - ARRAY[
            'load_id', 'row_no', 'landing_part', 'landing_row', 'applicant_name', 'applicant_id_number',
            'applicant_phone', 'applicant_email', 'applicant_address', 'abstract'
            ])::text)
        ELSE ''
    END AS fingerprint,
    c.landing_part,
    c.landing_row
FROM staging.dossier AS c
WHERE NOT EXISTS (
    SELECT
    FROM staging.verdict AS s
    WHERE
        s.tenant = c.tenant
        AND s.load_id = c.load_id
        AND s.row_no = c.row_no
        AND s.outcome IN ('duplicate', 'stale')
)
UNION ALL
SELECT
    c.tenant,
    c.load_id,
    'step' AS entity,
    c.row_no,
    CASE WHEN btrim(COALESCE(c.source_key, '')) = '' THEN '' ELSE c.source_key END AS source_key,
    CASE WHEN btrim(COALESCE(c.child_key, '')) = '' THEN '' ELSE c.child_key END AS child_key,
    CASE
        WHEN btrim(COALESCE(c.source_key, '')) = '' OR btrim(COALESCE(c.child_key, '')) = ''
            THEN md5((to_jsonb(c) - ARRAY[
            'load_id', 'row_no', 'landing_part', 'landing_row', 'actor_name', 'content'
            ])::text)
        ELSE ''
    END AS fingerprint,
    c.landing_part,
    c.landing_row
FROM staging.step AS c
WHERE NOT EXISTS (
    SELECT
    FROM set_aside AS s
    WHERE s.tenant = c.tenant AND s.load_id = c.load_id AND s.source_key = c.source_key AND s.whole_dossier
)
UNION ALL
SELECT
    c.tenant,
    c.load_id,
    'document' AS entity,
    c.row_no,
    CASE WHEN btrim(COALESCE(c.source_key, '')) = '' THEN '' ELSE c.source_key END AS source_key,
    CASE WHEN btrim(COALESCE(c.child_key, '')) = '' THEN '' ELSE c.child_key END AS child_key,
    CASE
        WHEN btrim(COALESCE(c.source_key, '')) = '' OR btrim(COALESCE(c.child_key, '')) = ''
            THEN md5((to_jsonb(c) - ARRAY[
            'load_id', 'row_no', 'landing_part', 'landing_row', 'name', 'url'
            ])::text)
        ELSE ''
    END AS fingerprint,
    c.landing_part,
    c.landing_row
FROM staging.document AS c
WHERE NOT EXISTS (
    SELECT
    FROM set_aside AS s
    WHERE s.tenant = c.tenant AND s.load_id = c.load_id AND s.source_key = c.source_key AND s.whole_dossier
)
UNION ALL
SELECT
    c.tenant,
    c.load_id,
    'fee' AS entity,
    c.row_no,
    CASE WHEN btrim(COALESCE(c.source_key, '')) = '' THEN '' ELSE c.source_key END AS source_key,
    CASE WHEN btrim(COALESCE(c.child_key, '')) = '' THEN '' ELSE c.child_key END AS child_key,
    CASE
        WHEN btrim(COALESCE(c.source_key, '')) = '' OR btrim(COALESCE(c.child_key, '')) = ''
            THEN md5((to_jsonb(c) - ARRAY[
            'load_id', 'row_no', 'landing_part', 'landing_row'
            ])::text)
        ELSE ''
    END AS fingerprint,
    c.landing_part,
    c.landing_row
FROM staging.fee AS c
WHERE NOT EXISTS (
    SELECT
    FROM set_aside AS s
    WHERE s.tenant = c.tenant AND s.load_id = c.load_id AND s.source_key = c.source_key AND s.whole_dossier
);

-- Statistics of what the gate just found: without them the planner takes a load's violations for a single row, and merge
-- compares each with every staged row.
CREATE FUNCTION quality.analyze_violations(of_tenant text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ANALYZE staging.%I', 'violation__' || lower(of_tenant));
END;
$$;
