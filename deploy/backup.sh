#!/bin/sh
# One backup: both databases, then landing, into $BACKUPS/<UTC time>/. Run by `docker compose run --rm backup`.
#
# The order makes the parts fit together. Batches in landing are never changed or removed, and a batch is complete
# before the database names it; so a copy of landing that is younger than the dump holds every batch that the dump
# knows. Nothing has to stop meanwhile. Unlogged tables are left out: a load that finds its staged rows missing stages
# them again from landing, and one that finds no fingerprints compares everything once.
set -eu
umask 077
: "${BACKUPS:?the folder that receives the backup}" "${LANDING:?the landing folder}"
: "${AIRFLOW_DB_PASSWORD:?}" "${WAREHOUSE_PASSWORD:?}"
NAME=$(date -u +%Y%m%dT%H%M%SZ)
PART=$BACKUPS/.$NAME.part
trap 'rm -rf "$PART"' EXIT
mkdir "$PART"

dump() { PGPASSWORD=$2 pg_dump --username "$1" --dbname "$1" --format custom --no-unlogged-table-data --file "$PART/$1.dump"; }
dump warehouse "$WAREHOUSE_PASSWORD"
dump airflow "$AIRFLOW_DB_PASSWORD"

if [ -d "$LANDING" ]; then
    # Exit code 1: a file changed or went while it was read, as those of an extract at work may. No dump names it yet.
    tar --create --directory "$LANDING" --file "$PART/landing.tar" --warning=no-file-changed . || [ $? -eq 1 ]
fi

(cd "$PART" && sha256sum -- * >SHA256SUMS)
sync
mv "$PART" "$BACKUPS/$NAME"
# A backup that failed never comes this far: the older ones stay then.
find "$BACKUPS" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*Z' -mtime "+${KEEP_DAYS:-14}" -exec rm -rf {} +
echo "$BACKUPS/$NAME"
