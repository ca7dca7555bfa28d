-- Purpose: what each source can tell, so that what none of a province's sources tells is no data instead of 0; and which
-- units had nothing to count, which are not ranked.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: the altered tables, briefly.

ALTER TABLE ops.source ADD COLUMN capabilities text[];
COMMENT ON COLUMN ops.source.capabilities IS
'what the source can tell under its contract (lienthong.model.capabilities); null: not described since this column came,
taken to tell everything; the next load describes it';

ALTER TABLE indices.score_unit ADD COLUMN idle boolean NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN indices.score_unit.idle IS
'nothing was received or in progress in the period: its total has no percentage, rank or band';
