-- Purpose: settings of this session with which the server would write rows into its log.
-- Grain: one setting. Idempotency: reads. Locks: none.
-- Nothing about errors is logged from log_min_messages = log on; the text of a statement can still come with a FATAL.
SELECT
    settings.name,
    settings.setting,
    wanted.quiet[1] AS wanted
FROM pg_catalog.pg_settings AS settings
INNER JOIN (
    VALUES
    ('log_min_messages', ARRAY['log', 'fatal', 'panic']),
    ('log_error_verbosity', ARRAY['terse']),
    ('log_min_error_statement', ARRAY['panic']),
    ('log_statement', ARRAY['none', 'ddl']),
    ('log_min_duration_statement', ARRAY['-1']),
    ('log_min_duration_sample', ARRAY['-1']),
    ('log_transaction_sample_rate', ARRAY['0']),
    ('log_parameter_max_length_on_error', ARRAY['0'])
) AS wanted (name, quiet)
    ON settings.name = wanted.name
WHERE settings.setting <> ALL(wanted.quiet)
ORDER BY settings.name
