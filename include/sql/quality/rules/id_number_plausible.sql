-- Purpose: dummy ID numbers (portal-exchange §2.7, 3), one digit repeated, or a citizen's without 9 or 12 digits.
-- Grain: one row per failing row of {batch}. Idempotency: reads only. Locks: none.
WITH staged AS (
    SELECT * FROM {batch}
)

SELECT
    row_no,
    source_key,
    child_key
FROM staged
WHERE
    btrim(applicant_id_number) <> ''
    AND (
        btrim(applicant_id_number) ~ '^0+1$'
        OR btrim(applicant_id_number) ~ '^([0-9])\1+$'
        OR (subject_type = 1 AND btrim(applicant_id_number) !~ '^([0-9]{{9}}|[0-9]{{12}})$')
    )
