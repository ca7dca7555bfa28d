"""Health of one container, for compose: `healthcheck.py COMPONENT URL`. Exit code 0 when healthy; says why when not.

COMPONENT is one that Airflow's health page names (metadatabase, scheduler, dag_processor, triggerer), or `-` when any
answer of URL below 400 will do. Standard library only: it runs every half minute, and importing Airflow takes seconds.
"""

from __future__ import annotations

import json
import sys
import urllib.request

TIMEOUT_S = 8.0


def problem(component: str, url: str) -> str | None:
    """What is wrong, None when nothing is."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            body = answer.read()
        if component == "-":
            return None
        status = json.loads(body)[component]["status"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"{url}: {type(error).__name__}: {error}"
    return None if status == "healthy" else f"{component} is {status}"


if __name__ == "__main__":
    found = problem(*sys.argv[1:3])
    sys.exit(found)
