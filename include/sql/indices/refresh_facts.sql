-- Purpose: derive the facts of a tenant's dossiers that changed since they were last derived (index-766 §5).
-- Grain: one row per dossier whose version or recipe differs; others are not touched. Only dossiers of loads merged
--        after merge `reached` are looked at; NULL looks at all (a first refresh, another recipe).
-- Idempotency: a second run finds nothing to do. Locks: the facts written; the caller holds the tenant's row.
--
-- End: the steps of the end status, else the dossier's own dates; of several end statuses 9 > 10 > 8 or 3 > 7, and
-- withdrawal (7) only after reception. Of several steps of that status the last one counts. An end status whose time
-- nobody knows is no end: the dossier stays open.
-- Start: the first step "being processed" (4), else reception.
-- `lacks`: what the source of the speaking record can't tell: about that the dossier says nothing, not "no".
-- Files count by their link (index-766 §2: "result file link"): the portal is given a URL, never the bytes.
WITH changed AS MATERIALIZED (
    SELECT
        believed.dossier_id,
        believed.version,
        believed.source_id,
        believed.source_key
    FROM dossier.dossier AS believed
    LEFT JOIN indices.dossier_fact AS fact
        ON fact.tenant = :tenant
        AND fact.dossier_id = believed.dossier_id
    WHERE believed.tenant = :tenant
        AND (
            CAST(:reached AS bigint) IS NULL
            OR believed.load_id = ANY(ARRAY(
                SELECT load.load_id
                FROM ops.load AS load
                WHERE load.tenant = :tenant
                    AND load.merge_no > :reached
            ))
        )
        AND (fact.dossier_id IS NULL OR fact.version <> believed.version OR fact.recipe <> :recipe)
),
tellers AS MATERIALIZED (
    SELECT
        source.source_id,
        ARRAY(
            SELECT known.capability
            FROM unnest(CAST(:capabilities AS text[])) AS known (capability)
            WHERE known.capability <> ALL(source.capabilities)
            ORDER BY known.capability
        ) AS lacks
    FROM ops.source AS source
    WHERE source.tenant = :tenant
        AND source.capabilities IS NOT NULL
),
records AS (
    SELECT
        changed.dossier_id,
        changed.version,
        record.agency_code,
        record.procedure_code,
        record.channel,
        record.status,
        record.submitted_at,
        record.received_at,
        record.due_at,
        record.finished_at,
        record.returned_at,
        record.refused_at,
        record.online_payment,
        record.database_codes,
        coalesce(record.has_digitised_component, FALSE) AS has_digitised_component,
        coalesce(record.vneid_verified, FALSE) AS vneid_verified,
        coalesce(teller.lacks, '{}') AS lacks
    FROM changed
    INNER JOIN dossier.source_record AS record
        ON record.tenant = :tenant
        AND record.source_id = changed.source_id
        AND record.source_key = changed.source_key
    LEFT JOIN tellers AS teller
        ON teller.source_id = changed.source_id
),
steps AS MATERIALIZED (
    SELECT
        changed.dossier_id,
        step.status,
        step.occurred_at,
        step.step_no,
        step.child_key
    FROM changed
    INNER JOIN dossier.step AS step
        ON step.tenant = :tenant
        AND step.source_id = changed.source_id
        AND step.source_key = changed.source_key
    WHERE step.occurred_at IS NOT NULL
),
turns AS (
    SELECT
        dossier_id,
        status,
        occurred_at,
        min(occurred_at) FILTER (WHERE status IN (2, 4)) OVER (
            PARTITION BY dossier_id
            ORDER BY occurred_at, step_no, child_key
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS back_at
    FROM steps
    WHERE status IN (2, 4, 5)
),
progress AS (
    SELECT
        dossier_id,
        min(occurred_at) FILTER (WHERE status = 4) AS first_processed_at,
        array_agg(occurred_at ORDER BY occurred_at, back_at) FILTER (WHERE status = 5) AS supplement_asked_at,
        array_agg(back_at ORDER BY occurred_at, back_at) FILTER (WHERE status = 5) AS supplement_back_at
    FROM turns
    GROUP BY dossier_id
),
end_candidates AS (
    SELECT
        dossier_id,
        status,
        max(occurred_at) AS ended_at,
        TRUE AS is_step
    FROM steps
    WHERE status IN (3, 7, 8, 9, 10)
    GROUP BY dossier_id, status
    UNION ALL
    SELECT
        dossier_id,
        status,
        CASE status
            WHEN 9 THEN coalesce(finished_at, returned_at)
            WHEN 10 THEN coalesce(finished_at, returned_at)
            WHEN 3 THEN coalesce(refused_at, finished_at)
            ELSE coalesce(finished_at, refused_at)
        END AS ended_at,
        FALSE AS is_step
    FROM records
    WHERE status IN (3, 7, 8, 9, 10)
),
ends AS (
    SELECT DISTINCT ON (candidate.dossier_id)
        candidate.dossier_id,
        candidate.status,
        candidate.ended_at
    FROM end_candidates AS candidate
    INNER JOIN records
        ON records.dossier_id = candidate.dossier_id
    WHERE candidate.ended_at IS NOT NULL
        AND (candidate.status <> 7 OR records.received_at IS NOT NULL)
    ORDER BY
        candidate.dossier_id,
        CASE candidate.status WHEN 9 THEN 1 WHEN 10 THEN 2 WHEN 7 THEN 4 ELSE 3 END,
        candidate.is_step DESC,
        candidate.ended_at DESC,
        candidate.status DESC
),
papers AS (
    SELECT
        changed.dossier_id,
        bool_or(paper.role = 'component' AND paper.has_link) AS has_component_file,
        bool_or(paper.role = 'result' AND paper.has_link) AS has_result_file,
        bool_or(
            paper.role = 'result' AND paper.has_link AND paper.result_code <> ''
        ) AS has_electronic_result,
        bool_or(paper.role = 'component' AND paper.digitised AND paper.from_citizen_store) AS digitised_on_portal,
        bool_or(paper.role = 'component' AND paper.from_citizen_store) AS from_citizen_store
    FROM changed
    INNER JOIN indices.paper AS paper
        ON paper.tenant = :tenant
        AND paper.source_id = changed.source_id
        AND paper.source_key = changed.source_key
    WHERE NOT coalesce(paper.removed, FALSE)
    GROUP BY changed.dossier_id
),
fees AS (
    SELECT
        changed.dossier_id,
        bool_or(fee.amount <> 0) AS synced_nonzero,
        bool_and(coalesce(fee.amount = 0, FALSE)) AS all_zero
    FROM changed
    INNER JOIN dossier.fee AS fee
        ON fee.tenant = :tenant
        AND fee.source_id = changed.source_id
        AND fee.source_key = changed.source_key
    GROUP BY changed.dossier_id
)
INSERT INTO indices.dossier_fact AS fact (
    tenant,
    dossier_id,
    version,
    recipe,
    agency_code,
    procedure_code,
    channel,
    submitted_at,
    received_at,
    started_at,
    due_at,
    end_status,
    end_at,
    supplement_asked_at,
    supplement_back_at,
    online_payment,
    has_component_file,
    has_result_file,
    has_electronic_result,
    reused_component,
    from_citizen_store,
    vneid_verified,
    fee_any,
    fee_synced_nonzero,
    fee_all_zero,
    database_codes,
    lacks
)
SELECT
    :tenant,
    records.dossier_id,
    records.version,
    :recipe,
    records.agency_code,
    records.procedure_code,
    records.channel,
    records.submitted_at,
    records.received_at,
    coalesce(progress.first_processed_at, records.received_at),
    records.due_at,
    ends.status,
    ends.ended_at,
    progress.supplement_asked_at,
    progress.supplement_back_at,
    records.online_payment,
    coalesce(papers.has_component_file, FALSE),
    coalesce(papers.has_result_file, FALSE),
    coalesce(papers.has_electronic_result, FALSE),
    records.has_digitised_component OR coalesce(papers.digitised_on_portal, FALSE),
    coalesce(papers.from_citizen_store, FALSE),
    records.vneid_verified,
    fees.dossier_id IS NOT NULL,
    coalesce(fees.synced_nonzero, FALSE),
    coalesce(fees.all_zero, FALSE),
    records.database_codes,
    records.lacks
FROM records
LEFT JOIN progress
    ON progress.dossier_id = records.dossier_id
LEFT JOIN ends
    ON ends.dossier_id = records.dossier_id
LEFT JOIN papers
    ON papers.dossier_id = records.dossier_id
LEFT JOIN fees
    ON fees.dossier_id = records.dossier_id
ON CONFLICT (tenant, dossier_id) DO UPDATE
SET
    version = excluded.version,
    recipe = excluded.recipe,
    agency_code = excluded.agency_code,
    procedure_code = excluded.procedure_code,
    channel = excluded.channel,
    submitted_at = excluded.submitted_at,
    received_at = excluded.received_at,
    started_at = excluded.started_at,
    due_at = excluded.due_at,
    end_status = excluded.end_status,
    end_at = excluded.end_at,
    supplement_asked_at = excluded.supplement_asked_at,
    supplement_back_at = excluded.supplement_back_at,
    online_payment = excluded.online_payment,
    has_component_file = excluded.has_component_file,
    has_result_file = excluded.has_result_file,
    has_electronic_result = excluded.has_electronic_result,
    reused_component = excluded.reused_component,
    from_citizen_store = excluded.from_citizen_store,
    vneid_verified = excluded.vneid_verified,
    fee_any = excluded.fee_any,
    fee_synced_nonzero = excluded.fee_synced_nonzero,
    fee_all_zero = excluded.fee_all_zero,
    database_codes = excluded.database_codes,
    lacks = excluded.lacks
