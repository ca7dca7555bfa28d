-- Purpose: the points of a run's provinces and ministries. Grain: one row each, by code. Idempotency: reads. Locks: none.
SELECT
    unit.tenant,
    unit.name,
    total.score,
    total.max_available
FROM indices.score_unit AS unit
INNER JOIN indices.unit_score AS total
    ON
        total.tenant = unit.tenant
        AND total.run_id = unit.run_id
        AND total.agency_code = unit.agency_code
WHERE unit.tenant = ANY(:tenants)
    AND unit.run_id = :run_id
    AND unit.kind IN ('ministry', 'province')
    AND total.group_code = :total
ORDER BY unit.tenant
