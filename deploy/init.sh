#!/bin/sh
# Brings both databases to the newest schema and creates the first administrator. Run before every start: each step
# changes nothing when it was done before. A user that exists keeps the password that was set since.
set -eu
: "${AIRFLOW_ADMIN_PASSWORD:?set AIRFLOW_ADMIN_PASSWORD, the password of the first administrator}"
airflow db migrate
lienthong migrate
python "$(dirname "$0")/first_admin.py" # its password stays in the environment: arguments are for everybody to see
