-- Purpose: arrivals of every agency of a source over some weeks, and what the registry says of the agency.
-- Grain: one row per agency that had a dossier; days are numbered from 0001-01-01 (day 1), as Python does.
-- Idempotency: reads only. Locks: none.
SELECT
    volume.agency_code,
    agency.name,
    agency.listed,
    array_agg(volume.day - CAST('0001-01-01' AS date) + 1 ORDER BY volume.day) AS days,
    array_agg(volume.dossiers ORDER BY volume.day) AS dossiers
FROM freshness.volume AS volume
LEFT JOIN registry.agency AS agency ON agency.agency_code = volume.agency_code
WHERE
    volume.tenant = :tenant
    AND volume.source_id = :source_id
    AND volume.day BETWEEN :first_day AND :last_day
    AND volume.dossiers > 0
GROUP BY volume.agency_code, agency.name, agency.listed
ORDER BY volume.agency_code;
