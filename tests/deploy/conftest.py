"""The server's files as data, and what a shell gets to run them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
DEPLOY = REPO / "deploy"
#: ${NAME}, ${NAME:-default}, ${NAME:?message}; `$$` is a dollar of the shell inside a container.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


def interpolated(text: str, values: dict[str, str]) -> str:
    """`text` as compose reads it with `values` in the environment; KeyError for a variable that is required."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found["name"], found["kind"], found["rest"]
        if values.get(name):
            return values[name]
        if kind == ":-":
            return rest
        raise KeyError(f"{name}: {rest}")

    return VARIABLE.sub(value, text).replace("$$", "$")


@pytest.fixture(scope="session")
def compose_text() -> str:
    return (REPO / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def compose(compose_text: str) -> dict[str, Any]:
    """The compose file, variables left as they are written."""
    loaded: dict[str, Any] = yaml.safe_load(compose_text)
    return loaded


@pytest.fixture(scope="session")
def server_env() -> dict[str, str]:
    """What `deploy/new-env.sh` prints."""
    printed = subprocess.run(["sh", str(DEPLOY / "new-env.sh")], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines() if line and not line.startswith("#"))
