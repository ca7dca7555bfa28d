-- Purpose: how many dossiers the records of all sources of a tenant are; records that share a dossier code, and don't
-- collide, are one dossier. Grain: one row. Idempotency: reads only. Locks: none.
SELECT
    (SELECT count(*) FROM dossier.source_record AS r WHERE r.tenant = :tenant) AS records,
    (SELECT count(*) FROM dossier.dossier AS d WHERE d.tenant = :tenant) AS dossiers;
