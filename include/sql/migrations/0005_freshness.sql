-- Schema: freshness.
SELECT 1;
