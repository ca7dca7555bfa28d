-- Purpose: let the records of choose_speakers speak. A code that another dossier holds, or that two of them would get, is
--          disputed: the record is blocked until settle_disputes finds it free.
-- Grain: one dossier of choose_speakers. Idempotency: once per transaction.
-- Locks: row locks on those dossiers and their new speakers, under the tenant's lock.
WITH wish AS (
    SELECT
        respoken.*,
        respoken.dossier_code IS NOT NULL
        AND (
            row_number() OVER (PARTITION BY respoken.dossier_code ORDER BY respoken.dossier_id) > 1
            OR EXISTS (
                SELECT 1
                FROM dossier.dossier AS other
                WHERE
                    other.tenant = :tenant
                    AND other.dossier_code = respoken.dossier_code
                    AND other.dossier_id <> respoken.dossier_id
            )
        ) AS disputed
    FROM pg_temp.respoken AS respoken
),
blocked AS (
    UPDATE dossier.source_record AS r
    SET blocked_reasons = array_append(r.blocked_reasons, 'dossier_code_collision')
    FROM wish
    WHERE
        wish.disputed
        AND r.tenant = :tenant
        AND r.source_id = wish.source_id
        AND r.source_key = wish.source_key
)
UPDATE dossier.dossier AS believed
SET
    dossier_code = CASE WHEN NOT wish.disputed THEN wish.dossier_code END,
    source_id = wish.source_id,
    source_key = wish.source_key,
    version = believed.version + 1,
    load_id = :load_id
FROM wish
WHERE believed.tenant = :tenant AND believed.dossier_id = wish.dossier_id;
