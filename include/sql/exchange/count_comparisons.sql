-- Purpose: what the comparisons of the payloads of now came to, and how many are still to be made.
-- Grain: one row per verdict and kind (kind null: the verdict's total; a dossier counts under each of its kinds; verdict
-- null: not compared yet; kind `blocked`: it would not be sent). Idempotency: reads only. Locks: none.
WITH compared AS (
    SELECT
        x.dossier_id,
        current.verdict,
        CASE
            WHEN
                current.verdict IN ('missing', 'different')
                AND (x.hold = 'blocked' OR (x.mode = 'shadow' AND cardinality(x.reasons) > 1))
                THEN current.kinds || CAST('{blocked}' AS text[])
            ELSE current.kinds
        END AS kinds
    FROM exchange.delivery AS x
    LEFT JOIN exchange.comparison AS current
        ON
            current.tenant = :tenant
            AND current.dossier_id = x.dossier_id
            AND current.verdict IS NOT NULL
            AND current.wanted_hash = x.wanted_hash
            AND current.recipe = x.recipe
            AND current.dossier_code = x.dossier_code
    WHERE
        x.tenant = :tenant
        AND x.mode <> 'observe'
        AND x.wanted_hash IS NOT NULL
        AND x.dossier_code IS NOT NULL
)
SELECT
    compared.verdict,
    kind.name AS kind,
    count(*) AS dossiers
FROM compared
CROSS JOIN LATERAL unnest(compared.kinds || CAST(ARRAY[NULL] AS text[])) AS kind (name)
GROUP BY compared.verdict, kind.name
ORDER BY compared.verdict, kind.name;
