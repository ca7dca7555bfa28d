-- Made by `make sql` from count_unknown_codes.sql.j2 and model/kinds/dossier.py: change those.
-- Purpose: which procedure and agency codes of a load the catalogue doesn't know, or no longer has in force.
-- Grain: one row per rule and code, the most frequent first. Idempotency: reads only. Locks: none.
SELECT
    v.rule_id,
    CASE
        WHEN v.rule_id = 'agency_known' THEN coalesce(d.agency_code, d.agency_code_raw)
        ELSE coalesce(d.procedure_code, d.procedure_code_raw)
    END AS code,
    count(*) AS dossiers
FROM staging.violation AS v
INNER JOIN staging.dossier AS d
    ON d.tenant = v.tenant AND d.load_id = v.load_id AND d.row_no = v.row_no
WHERE
    v.tenant = :tenant
    AND v.load_id = :load_id
    AND v.entity = 'dossier'
    AND v.rule_id IN ('agency_known', 'procedure_known', 'procedure_not_retired')
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2;
