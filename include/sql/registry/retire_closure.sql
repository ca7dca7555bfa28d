-- Purpose: drop pairs of listed agencies that no longer hold; an agency that is no longer listed keeps its place.
-- Grain: one row per pair. Idempotency: yes. Locks: those rows, under lock_catalogue.
DELETE FROM registry.agency_closure AS c
USING registry.agency AS a
WHERE
    a.agency_code = c.descendant_code
    AND a.listed
    AND NOT EXISTS (
        SELECT 1
        FROM unnest(
            CAST(:ancestors AS text[]),
            CAST(:descendants AS text[])
        ) AS pair (ancestor_code, descendant_code)
        WHERE pair.ancestor_code = c.ancestor_code AND pair.descendant_code = c.descendant_code
    );
