-- Purpose: where the tenant's own systems and a ministry's system say different things about a dossier, and dossiers of
--          the ministry's procedures that its system does not show although it was read after their reception.
-- Grain: one dossier × source of a ministry × field. Idempotency: reads only. Locks: none.
-- No personal data: codes, statuses and days. Instants are compared by the day, in Vietnam: some systems tell no time.
-- Of several own systems the one with the lowest precedence is compared. A status for which the ministry's system has no
-- word is compared by how far the dossier is: going on, ended without a result, finished. A word without a code says
-- nothing. `told_*`: what each source of a ministry tells; `word_*`: the statuses it has words for; `covers_*`: the
-- procedures whose dossiers it shows.
WITH told AS (
    SELECT
        pair.source_id,
        pair.field
    FROM unnest(CAST(:told_sources AS text []), CAST(:told_fields AS text [])) AS pair (source_id, field)
),
words AS (
    SELECT
        pair.source_id,
        pair.status
    FROM unnest(CAST(:word_sources AS text []), CAST(:word_statuses AS smallint [])) AS pair (source_id, status)
),
covers AS (
    SELECT
        pair.procedure_code,
        pair.source_id
    FROM unnest(CAST(:covers_codes AS text []), CAST(:covers_sources AS text [])) AS pair (procedure_code, source_id)
),
theirs AS (
    SELECT
        r.dossier_id,
        r.source_id,
        r.status,
        r.received_at,
        r.due_at,
        r.finished_at,
        r.returned_at,
        r.refused_at
    FROM dossier.source_record AS r
    WHERE r.tenant = :tenant AND r.source_id IN (SELECT told.source_id FROM told)
),
ours AS (
    SELECT DISTINCT ON (r.dossier_id)
        r.dossier_id,
        r.source_id,
        r.dossier_code,
        r.procedure_code,
        r.status,
        r.received_at,
        r.due_at,
        r.finished_at,
        r.returned_at,
        r.refused_at
    FROM dossier.source_record AS r
    LEFT JOIN ops.source AS s ON s.tenant = :tenant AND s.source_id = r.source_id
    WHERE
        r.tenant = :tenant
        AND r.source_id NOT IN (SELECT told.source_id FROM told)
        AND (
            r.procedure_code IN (SELECT covers.procedure_code FROM covers)
            OR r.dossier_id IN (SELECT theirs.dossier_id FROM theirs)
        )
    ORDER BY r.dossier_id, coalesce(s.precedence, 32767), length(r.source_key), r.source_key
),
shared AS (
    SELECT
        ours.dossier_id,
        ours.source_id AS our_source_id,
        theirs.source_id,
        said.field,
        said.ours,
        said.theirs,
        said.field = 'status' AS is_status
    FROM ours
    INNER JOIN theirs ON theirs.dossier_id = ours.dossier_id
    CROSS JOIN LATERAL (
        VALUES
        ('status', ours.status::text, theirs.status::text),
        (
            'received_at',
            (ours.received_at AT TIME ZONE :zone)::date::text,
            (theirs.received_at AT TIME ZONE :zone)::date::text
        ),
        ('due_at', (ours.due_at AT TIME ZONE :zone)::date::text, (theirs.due_at AT TIME ZONE :zone)::date::text),
        (
            'finished_at',
            (ours.finished_at AT TIME ZONE :zone)::date::text,
            (theirs.finished_at AT TIME ZONE :zone)::date::text
        ),
        (
            'returned_at',
            (ours.returned_at AT TIME ZONE :zone)::date::text,
            (theirs.returned_at AT TIME ZONE :zone)::date::text
        ),
        (
            'refused_at',
            (ours.refused_at AT TIME ZONE :zone)::date::text,
            (theirs.refused_at AT TIME ZONE :zone)::date::text
        )
    ) AS said (field, ours, theirs)
    INNER JOIN told ON told.source_id = theirs.source_id AND told.field = said.field
    WHERE said.ours IS DISTINCT FROM said.theirs
),
weighed AS (
    SELECT
        shared.*,
        EXISTS (
            SELECT 1
            FROM words
            WHERE words.source_id = shared.source_id AND words.status::text = shared.ours
        ) AS has_word,
        CASE WHEN shared.ours IN ('9', '10') THEN 3 WHEN shared.ours IN ('3', '7', '8') THEN 2 ELSE 1 END AS our_phase,
        CASE
            WHEN shared.theirs IN ('9', '10') THEN 3
            WHEN shared.theirs IN ('3', '7', '8') THEN 2
            ELSE 1
        END AS their_phase
    FROM shared
),
absent AS (
    SELECT
        ours.dossier_id,
        ours.source_id AS our_source_id,
        covers.source_id,
        'dossier' AS field,
        ours.dossier_code AS ours,
        NULL::text AS theirs
    FROM ours
    INNER JOIN covers ON covers.procedure_code = ours.procedure_code
    WHERE
        ours.dossier_code IS NOT NULL
        AND ours.received_at < (
            SELECT max(load.observed_at)
            FROM ops.load AS load
            WHERE load.tenant = :tenant AND load.source_id = covers.source_id AND load.state = 'merged'
        )
        AND NOT EXISTS (
            SELECT 1
            FROM theirs
            WHERE theirs.dossier_id = ours.dossier_id
        )
),
found AS (
    SELECT
        dossier_id,
        our_source_id,
        source_id,
        field,
        ours,
        theirs
    FROM weighed
    WHERE
        NOT is_status
        OR (ours IS NOT NULL AND theirs IS NOT NULL AND (has_word OR our_phase <> their_phase))
    UNION ALL
    SELECT
        dossier_id,
        our_source_id,
        source_id,
        field,
        ours,
        theirs
    FROM absent
)
SELECT
    found.source_id,
    found.our_source_id,
    coalesce(believed.dossier_code, record.dossier_code, record.source_key) AS dossier_code,
    record.agency_code,
    found.field,
    found.ours,
    found.theirs
FROM found
INNER JOIN dossier.dossier AS believed ON believed.tenant = :tenant AND believed.dossier_id = found.dossier_id
INNER JOIN dossier.source_record AS record
    ON
        record.tenant = :tenant
        AND record.source_id = believed.source_id
        AND record.source_key = believed.source_key
ORDER BY found.source_id, dossier_code, found.field;
