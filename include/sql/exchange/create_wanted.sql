-- Purpose: what one page of dossiers should become, for store_wanted and store_steps.
-- Grain: delivery_wanted one row per dossier, step_wanted one per step. Idempotency: once per transaction. Locks: none.
CREATE TEMPORARY TABLE delivery_wanted (
    dossier_id uuid PRIMARY KEY,
    dossier_code text,
    source_id text NOT NULL,
    mode text NOT NULL,
    hold text,
    reasons text[] NOT NULL,
    version bigint NOT NULL,
    procedure_revision bigint,
    wanted_hash bytea,
    recipe smallint NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE step_wanted (
    dossier_id uuid NOT NULL,
    step_key text NOT NULL,
    step_hash bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (dossier_id, step_key)
) ON COMMIT DROP;
