#!/bin/sh
# Puts one backup in the place of what is there now: `docker compose run --rm backup restore.sh /backups/<UTC time>`.
# Every Airflow component has to be stopped. The databases are dropped and made again.
set -eu
FROM=${1:?the folder of the backup}
: "${LANDING:?the landing folder}" "${PGUSER:?the superuser}" "${PGPASSWORD:?the password of the superuser}"
(cd "$FROM" && sha256sum --check --quiet SHA256SUMS)

restore() {
    dropdb --if-exists "$1"
    createdb --owner "$1" --template template0 --encoding UTF8 "$1"
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$1" --command "REVOKE CONNECT, TEMPORARY ON DATABASE $1 FROM PUBLIC"
    # Rights come from `lienthong migrate`, which init runs before the next start: the dump may name roles that are not here.
    pg_restore --role "$1" --no-owner --no-privileges --exit-on-error --single-transaction --dbname "$1" "$FROM/$1.dump"
    vacuumdb --analyze-only --quiet "$1"
}
restore warehouse
restore airflow

if [ -f "$FROM/landing.tar" ]; then
    mkdir -p "$LANDING"
    tar --extract --directory "$LANDING" --file "$FROM/landing.tar"
fi
echo "restored from $FROM"
