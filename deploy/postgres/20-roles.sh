#!/bin/sh
# The groups of the warehouse and one login for each step. Run once by the PostgreSQL image after 10-databases.sh; on a
# server that is older, or after a password changed, by hand:
#     docker compose exec postgres sh /docker-entrypoint-initdb.d/20-roles.sh
# Safe to run again: it sets the passwords of the environment. What each group may do, `lienthong migrate` says.
set -eu
: "${WAREHOUSE_LOADER_PASSWORD:?}" "${WAREHOUSE_PUSHER_PASSWORD:?}"
: "${WAREHOUSE_SCORER_PASSWORD:?}" "${WAREHOUSE_READER_PASSWORD:?}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv loader_password WAREHOUSE_LOADER_PASSWORD
\getenv pusher_password WAREHOUSE_PUSHER_PASSWORD
\getenv scorer_password WAREHOUSE_SCORER_PASSWORD
\getenv reader_password WAREHOUSE_READER_PASSWORD
SELECT format('CREATE ROLE lienthong_%s NOLOGIN', role)
FROM unnest(ARRAY['loader', 'pusher', 'scorer', 'reader', 'migrator']) AS role
WHERE to_regrole('lienthong_' || role) IS NULL
\gexec
SELECT format('CREATE ROLE warehouse_%s LOGIN', role)
FROM unnest(ARRAY['loader', 'pusher', 'scorer', 'reader']) AS role
WHERE to_regrole('warehouse_' || role) IS NULL
\gexec
ALTER ROLE warehouse_loader PASSWORD :'loader_password';
ALTER ROLE warehouse_pusher PASSWORD :'pusher_password';
ALTER ROLE warehouse_scorer PASSWORD :'scorer_password';
ALTER ROLE warehouse_reader PASSWORD :'reader_password';
GRANT lienthong_loader TO warehouse_loader;
GRANT lienthong_pusher TO warehouse_pusher;
GRANT lienthong_scorer TO warehouse_scorer;
GRANT lienthong_reader TO warehouse_reader;
GRANT lienthong_migrator TO warehouse;
SQL
