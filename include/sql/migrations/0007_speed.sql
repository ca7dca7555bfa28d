-- Schema: speed.
SELECT 1;
