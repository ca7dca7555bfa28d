-- Made by `make sql` from record_volumes.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: count what a load changed into the volumes: arrivals by agency and day, modifications by hour, newest instants.
-- Grain: one row per (source, day, agency) or (source, hour) that changed; one row per source. What the load superseded is
--        taken out again, so that every source record counts once. Cost: proportional to what was inserted or updated.
-- Idempotency: run once per load, inside merge's transaction, after the records and before staging is cleared.
-- Locks: the volumes' rows, under the tenant's lock.
WITH changed AS MATERIALIZED (
    SELECT
        v.source_key,
        v.version,
        v.outcome
    FROM staging.verdict AS v
    WHERE v.tenant = :tenant AND v.load_id = :load_id AND v.outcome IN ('inserted', 'updated')
),
moved AS MATERIALIZED (
    SELECT
        1 AS amount,
        record.agency_code,
        coalesce(record.received_at, record.submitted_at) AS arrived_at,
        record.source_modified_at AS modified_at
    FROM changed
    INNER JOIN dossier.source_record AS record
        ON record.tenant = :tenant AND record.source_id = :source_id AND record.source_key = changed.source_key
    UNION ALL
    SELECT
        -1 AS amount,
        superseded.agency_code,
        coalesce(superseded.received_at, superseded.submitted_at) AS arrived_at,
        superseded.source_modified_at AS modified_at
    FROM changed
    INNER JOIN dossier.source_record_history AS superseded
        ON
            superseded.tenant = :tenant
            AND superseded.source_id = :source_id
            AND superseded.source_key = changed.source_key
            AND superseded.version = changed.version - 1
    WHERE changed.outcome = 'updated'
),
arrivals AS (
    INSERT INTO freshness.volume AS volume (tenant, source_id, day, agency_code, dossiers)
    SELECT
        :tenant,
        :source_id,
        CAST(moved.arrived_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date) AS day,
        coalesce(moved.agency_code, '') AS agency_code,
        sum(moved.amount)
    FROM moved
    WHERE moved.arrived_at IS NOT NULL
    GROUP BY 3, 4
    HAVING sum(moved.amount) <> 0
    ON CONFLICT (tenant, source_id, day, agency_code) DO UPDATE SET dossiers = volume.dossiers + excluded.dossiers
),
modifications AS (
    INSERT INTO freshness.modified AS modified (tenant, source_id, hour, dossiers)
    SELECT
        :tenant,
        :source_id,
        date_trunc('hour', moved.modified_at, 'UTC') AS hour,
        sum(moved.amount)
    FROM moved
    WHERE moved.modified_at IS NOT NULL
    GROUP BY 3
    HAVING sum(moved.amount) <> 0
    ON CONFLICT (tenant, source_id, hour) DO UPDATE SET dossiers = modified.dossiers + excluded.dossiers
),
newest AS (
    SELECT
        (SELECT count(*) FROM changed WHERE changed.outcome = 'inserted') AS inserted,
        max(moved.arrived_at) FILTER (WHERE moved.arrived_at <= :observed_at) AS arrived_at,
        max(moved.modified_at) FILTER (WHERE moved.modified_at <= :observed_at) AS modified_at
    FROM moved
    WHERE moved.amount = 1
)
INSERT INTO freshness.source_state AS state (
    tenant,
    source_id,
    records,
    full_rows,
    newest_arrival_at,
    newest_modified_at
)
SELECT
    :tenant,
    :source_id,
    newest.inserted,
    CASE WHEN :is_full THEN CAST(:extracted AS bigint) ELSE newest.inserted END,
    newest.arrived_at,
    newest.modified_at
FROM newest
ON CONFLICT (tenant, source_id) DO UPDATE SET
    records = state.records + excluded.records,
    full_rows = CASE WHEN :is_full THEN excluded.full_rows ELSE state.full_rows + excluded.full_rows END,
    newest_arrival_at = greatest(state.newest_arrival_at, excluded.newest_arrival_at),
    newest_modified_at = greatest(state.newest_modified_at, excluded.newest_modified_at);
