-- Purpose: keep rows out of the server's log, as far as this session may: errors of statements (their message may quote a
--          value), their DETAIL ("Failing row contains …"), CONTEXT (the line of a COPY) and text, and slow statements.
-- Grain: the session. Idempotency: settings. Locks: none. Needs SET on the parameters (GRANT SET ON PARAMETER), or does
-- nothing about those it lacks; `read_loud_log_settings` tells them.
SELECT
    wanted.name,
    set_config(wanted.name, wanted.setting, FALSE) AS setting
FROM (
    VALUES
    ('log_min_messages', 'log'),
    ('log_error_verbosity', 'terse'),
    ('log_min_error_statement', 'panic'),
    ('log_statement', 'none'),
    ('log_min_duration_statement', '-1'),
    ('log_min_duration_sample', '-1'),
    ('log_transaction_sample_rate', '0'),
    ('log_parameter_max_length_on_error', '0')
) AS wanted (name, setting)
WHERE
    has_parameter_privilege(wanted.name, 'SET')
    OR wanted.name = 'log_parameter_max_length_on_error' -- everybody's
