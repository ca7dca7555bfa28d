"""Creates the first administrator of Airflow; changes nothing when that user exists.

`airflow users create` takes the password as an argument, which every process list shows. This takes it from the
environment and asks the same functions as that command.
"""

import os
import sys

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

NAMES = ("Quản", "Trị")


@providers_configuration_loaded
def create() -> int:
    """0 when the user is there afterwards."""
    username = os.environ.get("AIRFLOW_ADMIN_USER") or "admin"
    email = os.environ.get("AIRFLOW_ADMIN_EMAIL") or "admin@lienthong.invalid"
    with get_application_builder() as builder:
        users = builder.sm
        if users.find_user(username):
            print(f"{username} exists and keeps the password that was set since.")
            return 0
        made = users.add_user(username, *NAMES, email, users.find_role("Admin"), os.environ["AIRFLOW_ADMIN_PASSWORD"])
    print(f"{username} was created." if made else f"{username} could not be created.")
    return 0 if made else 1


if __name__ == "__main__":
    sys.exit(create())
