-- Purpose: numerator and denominator of every component that the warehouse can feed, for one tenant and period
--          (index-766 §2, §4, §5 portal rule).
-- Grain: listed agency of the tenant × component; idle agencies appear with zeros.
-- Idempotency: reads. Locks: none.
--
-- The period is period_start to through, both included; a provisional run ends at its as-of instant. What happened after
-- `through` has not happened yet. `idle`: no dossier of the unit is in any population, and no national report of the
-- period says otherwise. A province counts its own dossiers, its descendants', and those of agencies that
-- nobody lists; departments and communes count their own. A dossier whose source can't tell what a component asks is
-- left out of that component; a dossier that a ministry sends itself, and shows, is taken to be on the portal.
WITH term_units AS (
    SELECT
        lower(unit.name) AS name,
        unit.seconds
    FROM unnest(CAST(:unit_names AS text[]), CAST(:unit_seconds AS bigint[])) AS unit (name, seconds)
),
procedures AS (
    SELECT
        procedure.procedure_code,
        procedure.active AND NOT procedure.vanished AS in_force,
        procedure.returns_paper,
        procedure.has_fee,
        procedure.agencies,
        EXISTS (
            SELECT 1
            FROM unnest(procedure.subjects) AS subject (name)
            INNER JOIN unnest(CAST(:citizen_subjects AS text[])) AS citizen (name)
                ON lower(citizen.name) = lower(btrim(subject.name))
        ) AS for_citizens,
        CASE WHEN term_units.name IS NOT NULL THEN procedure.max_term_value END AS term_value,
        term_units.seconds AS term_unit_seconds
    FROM registry.procedure AS procedure
    LEFT JOIN term_units
        ON term_units.name = lower(btrim(procedure.max_term_unit))
),
dossiers AS (
    SELECT
        coalesce(fact.agency_code, '') AS agency_code,
        coalesce(fact.procedure_code, '') AS procedure_code,
        fact.received_at,
        fact.due_at,
        fact.channel = 2 AS is_online,
        fact.online_payment IN (1, 2) AS paid_online,
        fact.has_component_file,
        fact.has_result_file,
        fact.has_electronic_result,
        fact.reused_component,
        fact.from_citizen_store,
        fact.vneid_verified
        OR fact.from_citizen_store
        OR coalesce(fact.database_codes && CAST(:population_databases AS text[]), FALSE) AS uses_citizen_data,
        fact.fee_synced_nonzero,
        fact.fee_all_zero,
        coalesce(procedures.has_fee, FALSE) AS has_fee,
        coalesce(procedures.returns_paper, TRUE) AS returns_paper,
        procedures.term_value,
        procedures.term_unit_seconds,
        coalesce(delivery.acked_at <= :as_of OR 'sent_elsewhere' = ANY(delivery.reasons), FALSE) AS acknowledged,
        'documents' <> ALL(fact.lacks) AS tells_documents,
        'online_payment' <> ALL(fact.lacks) AS tells_payment,
        'reuse' <> ALL(fact.lacks) AS tells_reuse,
        'citizen_store' <> ALL(fact.lacks) AS tells_store,
        'citizen_data' <> ALL(fact.lacks) AS tells_citizen_data,
        fact.received_at BETWEEN :period_start AND :through AS in_received,
        coalesce(fact.received_at, fact.submitted_at) BETWEEN :period_start AND :through AS in_arrived,
        fact.started_at BETWEEN :period_start AND :through AS in_started,
        fact.received_at <= :through AND (fact.end_at IS NULL OR fact.end_at >= :period_start) AS in_carried,
        CASE WHEN fact.end_at <= :through THEN fact.end_at END AS end_at,
        coalesce(supplement.asked, 0) AS asked,
        supplement.first_asked_at,
        coalesce(supplement.is_open, FALSE) AS supplement_open,
        make_interval(secs => coalesce(supplement.waited, 0)) AS waited
    FROM indices.dossier_fact AS fact
    LEFT JOIN procedures
        ON procedures.procedure_code = fact.procedure_code
    LEFT JOIN exchange.delivery AS delivery
        ON delivery.tenant = :tenant
        AND delivery.dossier_id = fact.dossier_id
    LEFT JOIN LATERAL (
        SELECT
            count(*) AS asked,
            min(request.asked_at) AS first_asked_at,
            bool_or(request.back_at IS NULL OR request.back_at > :through) AS is_open,
            -- A second request before the citizen is back goes on with the same wait.
            sum(extract(EPOCH FROM least(request.back_at, request.next_asked_at) - request.asked_at)) FILTER (
                WHERE request.back_at <= :through
            )::double precision AS waited
        FROM (
            SELECT
                entry.asked_at,
                entry.back_at,
                lead(entry.asked_at) OVER (ORDER BY entry.asked_at, entry.back_at) AS next_asked_at
            FROM unnest(fact.supplement_asked_at, fact.supplement_back_at) AS entry (asked_at, back_at)
        ) AS request
        WHERE request.asked_at <= :through
    ) AS supplement
        ON fact.supplement_asked_at IS NOT NULL
    WHERE fact.tenant = :tenant
        AND fact.active_until >= :period_start
),
clocks AS (
    SELECT
        dossiers.*,
        CASE
            WHEN end_at IS NOT NULL THEN end_at - waited
            WHEN supplement_open AND asked = 1 THEN first_asked_at
            WHEN supplement_open THEN NULL  -- asked more than once and not met: overdue
            ELSE :through - waited
        END AS clock_end
    FROM dossiers
),
calendar AS (
    SELECT
        day.day::date AS day,
        count(*) FILTER (
            WHERE extract(ISODOW FROM day.day) < 6 AND NOT day.day::date = ANY(CAST(:holidays AS date[]))
        ) OVER (ORDER BY day.day) AS working_days
    FROM generate_series(
        (
            SELECT greatest(min(received_at), :through - interval '20 years')
            FROM clocks
            WHERE due_at IS NULL
        ) AT TIME ZONE :zone,
        :through AT TIME ZONE :zone + interval '1 day',
        interval '1 day'
    ) AS day (day)
),
verdicts AS (
    SELECT
        clocks.*,
        CASE
            WHEN clocks.clock_end IS NULL THEN FALSE
            WHEN clocks.due_at IS NOT NULL AND CAST(:compare_by_date AS boolean)
                THEN (clocks.clock_end AT TIME ZONE :zone)::date <= (clocks.due_at AT TIME ZONE :zone)::date
            WHEN clocks.due_at IS NOT NULL THEN clocks.clock_end <= clocks.due_at
            WHEN clocks.received_at IS NULL OR clocks.term_value IS NULL THEN CAST(:unknown_is_on_time AS boolean)
            WHEN clocks.term_unit_seconds IS NULL
                THEN coalesce(last_day.working_days, 0) - coalesce(first_day.working_days, 0) <= clocks.term_value
            ELSE clocks.clock_end - clocks.received_at
                <= make_interval(secs => clocks.term_value::double precision * clocks.term_unit_seconds)
        END AS on_time
    FROM clocks
    LEFT JOIN calendar AS first_day
        ON first_day.day = (clocks.received_at AT TIME ZONE :zone)::date
        AND clocks.due_at IS NULL
    LEFT JOIN calendar AS last_day
        ON last_day.day = (clocks.clock_end AT TIME ZONE :zone)::date
        AND clocks.due_at IS NULL
),
counts AS (
    SELECT
        agency_code,
        procedure_code,
        count(*) FILTER (WHERE in_received) AS received,
        count(*) FILTER (WHERE in_received AND acknowledged) AS acknowledged,
        count(*) FILTER (WHERE in_carried) AS carried,
        count(*) FILTER (WHERE in_carried AND on_time) AS on_time,
        count(*) FILTER (WHERE in_received OR in_arrived OR in_started OR in_carried) AS active,
        count(*) FILTER (WHERE in_received AND tells_documents) AS received_told,
        count(*) FILTER (
            WHERE in_received AND tells_documents AND is_online AND (has_electronic_result OR NOT returns_paper)
        ) AS online,
        count(*) FILTER (WHERE in_started AND tells_payment AND has_fee AND NOT fee_all_zero) AS payable,
        count(*) FILTER (WHERE in_started AND tells_payment AND has_fee AND NOT fee_all_zero AND paid_online) AS paid,
        count(*) FILTER (
            WHERE CASE :population_4_1 WHEN 'received' THEN in_received ELSE in_carried END
                AND tells_documents
                AND (returns_paper OR NOT CAST(:result_of_paper_only AS boolean))
        ) AS result_expected,
        count(*) FILTER (
            WHERE CASE :population_4_1 WHEN 'received' THEN in_received ELSE in_carried END
                AND tells_documents
                AND (returns_paper OR NOT CAST(:result_of_paper_only AS boolean))
                AND has_result_file
        ) AS with_result,
        count(*) FILTER (
            WHERE CASE :population_4_2 WHEN 'received' THEN in_received ELSE in_carried END AND tells_documents
        ) AS digitised_of,
        count(*) FILTER (
            WHERE CASE :population_4_2 WHEN 'received' THEN in_received ELSE in_carried END
                AND tells_documents
                AND has_component_file
                AND (has_result_file OR NOT returns_paper)
        ) AS digitised,
        count(*) FILTER (
            WHERE CASE :population_4_3 WHEN 'received' THEN in_received ELSE in_carried END AND tells_reuse
        ) AS reused_of,
        count(*) FILTER (
            WHERE CASE :population_4_3 WHEN 'received' THEN in_received ELSE in_carried END
                AND tells_reuse
                AND reused_component
        ) AS reused,
        count(*) FILTER (
            WHERE CASE :population_4_4 WHEN 'received' THEN in_received ELSE in_carried END AND tells_store
        ) AS from_store_of,
        count(*) FILTER (
            WHERE CASE :population_4_4 WHEN 'received' THEN in_received ELSE in_carried END
                AND tells_store
                AND from_citizen_store
        ) AS from_store,
        count(*) FILTER (
            WHERE CASE :population_4_5b WHEN 'received' THEN in_received ELSE in_carried END AND tells_citizen_data
        ) AS citizen_data_of,
        count(*) FILTER (
            WHERE CASE :population_4_5b WHEN 'received' THEN in_received ELSE in_carried END
                AND tells_citizen_data
                AND uses_citizen_data
        ) AS with_citizen_data,
        coalesce(bool_or(
            CASE :population_4_5a WHEN 'received' THEN in_received ELSE in_carried END AND uses_citizen_data
        ), FALSE) AS had_citizen_data,
        coalesce(bool_or(in_arrived AND is_online), FALSE) AS had_online,
        coalesce(bool_or(in_arrived AND fee_synced_nonzero), FALSE) AS had_fee,
        coalesce(bool_or(in_arrived AND paid_online), FALSE) AS had_payment
    FROM verdicts
    GROUP BY agency_code, procedure_code
),
units AS (
    SELECT
        agency_code,
        name,
        level,
        level IN ('province', 'ministry') AS is_top
    FROM registry.agency
    WHERE tenant = :tenant
        AND listed
),
root AS (
    SELECT agency_code
    FROM units
    WHERE is_top
    ORDER BY agency_code <> :tenant, agency_code
    LIMIT 1
),
offers AS (
    SELECT
        service.agency_code,
        service.procedure_code,
        service.online_level
    FROM registry.service AS service
    INNER JOIN procedures
        ON procedures.procedure_code = service.procedure_code
        AND procedures.in_force
    WHERE service.tenant = :tenant
    UNION ALL
    SELECT
        agency.agency_code,
        procedures.procedure_code,
        0 AS online_level
    FROM procedures
    CROSS JOIN LATERAL unnest(procedures.agencies) AS named (agency_code)
    INNER JOIN registry.agency AS agency
        ON agency.tenant = :tenant
        AND agency.agency_code = named.agency_code
    WHERE procedures.in_force
),
branches AS (
    SELECT
        closure.descendant_code AS agency_code,
        units.agency_code AS unit_code
    FROM units
    INNER JOIN registry.agency_closure AS closure
        ON closure.ancestor_code = units.agency_code
        AND closure.tenant = :tenant
    WHERE units.is_top
    UNION
    SELECT
        agency_code,
        agency_code
    FROM units
    WHERE is_top
),
placements AS (
    SELECT
        agency_code,
        unit_code
    FROM branches
    UNION ALL
    SELECT
        agency_code,
        agency_code
    FROM units
    WHERE NOT is_top
    UNION ALL
    SELECT
        stray.agency_code,
        root.agency_code
    FROM (
        SELECT agency_code FROM counts
        UNION
        SELECT agency_code FROM offers
    ) AS stray
    CROSS JOIN root
    WHERE NOT EXISTS (
        SELECT 1
        FROM branches
        WHERE branches.agency_code = stray.agency_code
    )
),
dossier_counts AS (
    SELECT
        placements.unit_code,
        sum(counts.received) AS received,
        sum(counts.acknowledged) AS acknowledged,
        sum(counts.carried) AS carried,
        sum(counts.on_time) AS on_time,
        sum(counts.active) AS active,
        sum(counts.received_told) AS received_told,
        sum(counts.digitised_of) AS digitised_of,
        sum(counts.reused_of) AS reused_of,
        sum(counts.from_store_of) AS from_store_of,
        sum(counts.citizen_data_of) AS citizen_data_of,
        sum(counts.online) AS online,
        sum(counts.payable) AS payable,
        sum(counts.paid) AS paid,
        sum(counts.result_expected) AS result_expected,
        sum(counts.with_result) AS with_result,
        sum(counts.digitised) AS digitised,
        sum(counts.reused) AS reused,
        sum(counts.from_store) AS from_store,
        sum(counts.with_citizen_data) AS with_citizen_data
    FROM counts
    INNER JOIN placements
        ON placements.agency_code = counts.agency_code
    GROUP BY placements.unit_code
),
procedure_use AS (
    SELECT
        placements.unit_code,
        counts.procedure_code,
        bool_or(counts.had_citizen_data) AS had_citizen_data,
        bool_or(counts.had_online) AS had_online,
        bool_or(counts.had_fee) AS had_fee,
        bool_or(counts.had_payment) AS had_payment
    FROM counts
    INNER JOIN placements
        ON placements.agency_code = counts.agency_code
    GROUP BY placements.unit_code, counts.procedure_code
),
authorities AS (
    SELECT
        placements.unit_code,
        offers.procedure_code,
        max(offers.online_level) >= 3 AS is_online
    FROM offers
    INNER JOIN placements
        ON placements.agency_code = offers.agency_code
    GROUP BY placements.unit_code, offers.procedure_code
),
procedure_counts AS (
    SELECT
        authorities.unit_code,
        count(*) AS procedures,
        count(*) FILTER (WHERE authorities.is_online) AS services,
        count(*) FILTER (WHERE authorities.is_online AND procedure_use.had_online) AS services_used,
        count(*) FILTER (WHERE procedures.has_fee) AS with_fee,
        count(*) FILTER (WHERE procedures.has_fee AND procedure_use.had_fee) AS fee_synced,
        count(*) FILTER (WHERE procedures.has_fee AND procedure_use.had_payment) AS fee_paid,
        count(*) FILTER (WHERE procedures.for_citizens) AS for_citizens,
        count(*) FILTER (WHERE procedures.for_citizens AND procedure_use.had_citizen_data) AS citizen_data
    FROM authorities
    INNER JOIN procedures
        ON procedures.procedure_code = authorities.procedure_code
    LEFT JOIN procedure_use
        ON procedure_use.unit_code = authorities.unit_code
        AND procedure_use.procedure_code = authorities.procedure_code
    GROUP BY authorities.unit_code
),
reports AS (
    SELECT DISTINCT ON (report.agency_code, report.period)
        report.agency_code,
        report.period,
        report.received
    FROM registry.national_report AS report
    INNER JOIN units
        ON units.agency_code = report.agency_code
    WHERE report.period IN (:period, :last_year)
        AND report.entered_at <= :as_of
    ORDER BY report.agency_code, report.period, report.entered_at DESC
),
measures AS (
    SELECT
        units.agency_code,
        units.name,
        units.level,
        coalesce(dossier_counts.received, 0) AS received,
        coalesce(dossier_counts.acknowledged, 0) AS acknowledged,
        coalesce(dossier_counts.carried, 0) AS carried,
        coalesce(dossier_counts.on_time, 0) AS on_time,
        coalesce(dossier_counts.received_told, 0) AS received_told,
        coalesce(dossier_counts.digitised_of, 0) AS digitised_of,
        coalesce(dossier_counts.reused_of, 0) AS reused_of,
        coalesce(dossier_counts.from_store_of, 0) AS from_store_of,
        coalesce(dossier_counts.citizen_data_of, 0) AS citizen_data_of,
        coalesce(dossier_counts.online, 0) AS online,
        coalesce(dossier_counts.payable, 0) AS payable,
        coalesce(dossier_counts.paid, 0) AS paid,
        coalesce(dossier_counts.result_expected, 0) AS result_expected,
        coalesce(dossier_counts.with_result, 0) AS with_result,
        coalesce(dossier_counts.digitised, 0) AS digitised,
        coalesce(dossier_counts.reused, 0) AS reused,
        coalesce(dossier_counts.from_store, 0) AS from_store,
        coalesce(dossier_counts.with_citizen_data, 0) AS with_citizen_data,
        coalesce(dossier_counts.active, 0) = 0 AND coalesce(of_period.received, 0) = 0 AS idle,
        coalesce(procedure_counts.procedures, 0) AS procedures,
        coalesce(procedure_counts.services, 0) AS services,
        coalesce(procedure_counts.services_used, 0) AS services_used,
        coalesce(procedure_counts.with_fee, 0) AS with_fee,
        coalesce(procedure_counts.fee_synced, 0) AS fee_synced,
        coalesce(procedure_counts.fee_paid, 0) AS fee_paid,
        coalesce(procedure_counts.for_citizens, 0) AS for_citizens,
        coalesce(procedure_counts.citizen_data, 0) AS citizen_data,
        nullif(of_period.received, 0) AS reported,
        nullif(of_last_year.received, 0) / 12.0 AS reported_last_year
    FROM units
    LEFT JOIN dossier_counts
        ON dossier_counts.unit_code = units.agency_code
    LEFT JOIN procedure_counts
        ON procedure_counts.unit_code = units.agency_code
    LEFT JOIN reports AS of_period
        ON of_period.agency_code = units.agency_code
        AND of_period.period = :period
    LEFT JOIN reports AS of_last_year
        ON of_last_year.agency_code = units.agency_code
        AND of_last_year.period = :last_year
)
SELECT
    measures.agency_code,
    measures.name,
    measures.level,
    measures.idle,
    component.id AS component_id,
    component.numerator,
    component.denominator,
    component.flag
FROM measures
CROSS JOIN LATERAL (
    VALUES
    (
        '1.4',
        measures.acknowledged::numeric,
        CASE
            WHEN coalesce(measures.reported, measures.reported_last_year) IS NOT NULL
                THEN greatest(coalesce(measures.reported, measures.reported_last_year), measures.acknowledged)
            WHEN CAST(:over_received AS boolean) THEN measures.received
        END,
        concat_ws(
            ' ',
            CASE
                WHEN measures.reported IS NULL
                    AND (measures.reported_last_year IS NOT NULL OR CAST(:over_received AS boolean))
                    THEN 'TEMP_NATIONAL_REPORT_DENOMINATOR'
            END,
            CASE
                WHEN coalesce(measures.reported, measures.reported_last_year) IS NULL THEN 'NO_NATIONAL_REPORT_DATA'
            END
        )
    ),
    ('2.1', measures.on_time, measures.carried, NULL),
    ('3.1', measures.services, measures.procedures, NULL),
    ('3.2', measures.services_used, measures.services, NULL),
    ('3.3', measures.online, measures.received_told, NULL),
    ('3.5', measures.fee_synced, measures.with_fee, NULL),
    ('3.5b', measures.fee_paid, measures.with_fee, NULL),
    ('3.6', measures.paid, measures.payable, NULL),
    ('4.1', measures.with_result, measures.result_expected, NULL),
    ('4.2', measures.digitised, measures.digitised_of, NULL),
    ('4.3', measures.reused, measures.reused_of, NULL),
    ('4.4', measures.from_store, measures.from_store_of, NULL),
    ('4.5a', measures.citizen_data, measures.for_citizens, NULL),
    ('4.5b', measures.with_citizen_data, measures.citizen_data_of, NULL)
) AS component (id, numerator, denominator, flag)
ORDER BY measures.agency_code, component.id
