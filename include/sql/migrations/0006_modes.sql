-- Schema: modes.
SELECT 1;
