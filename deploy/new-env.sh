#!/bin/sh
# Prints a file of variables for docker-compose.yml with fresh random secrets: sh deploy/new-env.sh >server.env
# Keep that file outside any repository, readable by you alone; a copy of it belongs where your passwords are.
set -eu
umask 077
random() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
fernet() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }
HERE=$(dirname "$0")
while IFS= read -r line; do
    case $line in
        AIRFLOW_FERNET_KEY=) echo "$line$(fernet)" ;;
        *_PASSWORD= | *_SECRET_KEY= | *_JWT_SECRET=) echo "$line$(random 24)" ;;
        *) echo "$line" ;;
    esac
done <"$HERE/server.env.example"
