#!/bin/sh
# Run once by the PostgreSQL image, on an empty data folder: one role and one database each for Airflow and for the
# warehouse. Neither role is a superuser, neither may connect to the other's database. `warehouse` migrates; the steps
# have logins of their own (20-roles.sh).
set -eu
: "${AIRFLOW_DB_PASSWORD:?}" "${WAREHOUSE_PASSWORD:?}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv warehouse_password WAREHOUSE_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE warehouse LOGIN PASSWORD :'warehouse_password';
CREATE DATABASE airflow OWNER airflow TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE warehouse OWNER warehouse TEMPLATE template0 ENCODING 'UTF8';
REVOKE CONNECT, TEMPORARY ON DATABASE airflow, warehouse FROM PUBLIC;
SQL
