-- Purpose: sources whose dossiers a ministry sends to the portal itself, and facts that know what their source can't tell.
-- Grain: see each table. Idempotency: run once by Alembic. Locks: the altered tables, briefly.

ALTER TABLE ops.source ADD COLUMN sent_by text;
COMMENT ON COLUMN ops.source.sent_by IS
'identifier of the ministry that sends the dossiers of this source itself; null: its tenant does, if its mode says so';
ALTER TABLE ops.source ADD COLUMN covers text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN ops.source.covers IS
'procedures (national base codes) that the ministry sends: of these no source of the tenant sends anything';

ALTER TABLE indices.dossier_fact ADD COLUMN lacks text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN indices.dossier_fact.lacks IS
'capabilities that the source that speaks for the dossier does not have: what it cannot tell is no data, not "no"';
