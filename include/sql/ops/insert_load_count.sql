-- Purpose: the conservation ledger of a load. Grain: one row per entity. Idempotency: once per load, in merge's
--          transaction; the table's CHECK refuses a load that does not add up. Locks: none.
INSERT INTO ops.load_count (
    tenant,
    load_id,
    entity,
    extracted,
    inserted,
    updated,
    unchanged,
    duplicate,
    stale,
    quarantined
)
VALUES (
    :tenant,
    :load_id,
    :entity,
    :extracted,
    :inserted,
    :updated,
    :unchanged,
    :duplicate,
    :stale,
    :quarantined
);
