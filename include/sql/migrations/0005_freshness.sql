-- Purpose: volumes per source, agency and day; what was found about freshness; collapses that an engineer accepted.
-- Grain: see each table. These tables are small (agencies × days), so they are not partitioned; tenant comes first.
-- Idempotency: run once by Alembic. What is believed already is counted here once; afterwards merges keep the counts.
-- Locks: reads dossier.source_record once; creates two indexes outside this schema.

CREATE SCHEMA IF NOT EXISTS freshness;

-- Dossiers by the day of Vietnam on which they arrived: received, or (while not received) submitted. agency_code is ''
-- where the source's agency has no code. Kept by merge from what changed: a dossier that moves to another day or agency
-- leaves the old count.
CREATE TABLE freshness.volume (
    tenant text NOT NULL,
    source_id text NOT NULL,
    day date NOT NULL,
    agency_code text NOT NULL,
    dossiers bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, day, agency_code)
);

-- Dossiers by the hour (UTC) of their newest modification: what a range load should find again.
CREATE TABLE freshness.modified (
    tenant text NOT NULL,
    source_id text NOT NULL,
    hour timestamptz NOT NULL,
    dossiers bigint NOT NULL,
    PRIMARY KEY (tenant, source_id, hour)
);

-- What is known of a source as a whole. full_rows: dossier rows that a full load should find: those of the newest full
-- load, and the ones that came since. The instants leave out what is dated after the load that brought it.
CREATE TABLE freshness.source_state (
    tenant text NOT NULL,
    source_id text NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    full_rows bigint NOT NULL DEFAULT 0,
    newest_arrival_at timestamptz,
    newest_modified_at timestamptz,
    evaluated_at timestamptz,
    PRIMARY KEY (tenant, source_id)
);

-- Expected and seen volume of a whole source by day, as last judged. expected null: not judged, `kind` says why.
CREATE TABLE freshness.source_day (
    tenant text NOT NULL,
    source_id text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    expected numeric,
    spread numeric,
    seen bigint NOT NULL,
    judged_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, source_id, day),
    CHECK (kind IN ('working', 'weekend', 'holiday', 'quiet'))
);

-- What is wrong, from its first to its last sight. One open finding per thing; alerted_by are the channels that have
-- told of it, recovery_told_by those that have told of its end. source_id '' and subject '' where there is none.
CREATE TABLE freshness.finding (
    finding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    source_id text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    severity text NOT NULL,
    since timestamptz NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    closed_at timestamptz,
    close_reason text,
    alerted_by text [] NOT NULL DEFAULT '{}',
    recovery_told_by text [] NOT NULL DEFAULT '{}',
    CHECK (severity IN ('warning', 'error')),
    CHECK ((closed_at IS NULL) = (close_reason IS NULL))
);
CREATE UNIQUE INDEX finding_open ON freshness.finding (tenant, source_id, kind, subject) WHERE closed_at IS NULL;
CREATE INDEX finding_closed ON freshness.finding (closed_at) WHERE closed_at IS NOT NULL;

-- Which open findings were seen on which days, with the numbers of that day.
CREATE TABLE freshness.finding_day (
    finding_id bigint NOT NULL REFERENCES freshness.finding,
    day date NOT NULL,
    severity text NOT NULL,
    details jsonb NOT NULL,
    PRIMARY KEY (finding_id, day)
);

-- Loads whose collapse an engineer has confirmed beforehand: their volumes are not guarded.
CREATE TABLE freshness.accepted_collapse (
    load_id bigint PRIMARY KEY,
    tenant text NOT NULL,
    source_id text NOT NULL,
    accepted_at timestamptz NOT NULL
);

-- The newest load of a source, and what is held back from the portal, without reading all of either table.
CREATE INDEX load_newest ON ops.load (tenant, source_id, load_id);
CREATE INDEX delivery_held ON exchange.delivery (tenant, state) WHERE state IN ('blocked', 'rejected');

INSERT INTO freshness.volume (tenant, source_id, day, agency_code, dossiers)
SELECT
    tenant,
    source_id,
    CAST(coalesce(received_at, submitted_at) AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date),
    coalesce(agency_code, ''),
    count(*)
FROM dossier.source_record
WHERE coalesce(received_at, submitted_at) IS NOT NULL
GROUP BY 1, 2, 3, 4;

INSERT INTO freshness.modified (tenant, source_id, hour, dossiers)
SELECT
    tenant,
    source_id,
    date_trunc('hour', source_modified_at, 'UTC'),
    count(*)
FROM dossier.source_record
WHERE source_modified_at IS NOT NULL
GROUP BY 1, 2, 3;

INSERT INTO freshness.source_state (
    tenant, source_id, records, full_rows, newest_arrival_at, newest_modified_at
)
SELECT
    tenant,
    source_id,
    count(*),
    count(*),
    max(coalesce(received_at, submitted_at)) FILTER (WHERE coalesce(received_at, submitted_at) <= observed_at),
    max(source_modified_at) FILTER (WHERE source_modified_at <= observed_at)
FROM dossier.source_record
GROUP BY 1, 2;
