"""Which tests share a worker: those of one file, and files that name the same `xdist_group`.

pytest-xdist 3.8 reads groups from test ids, which pytest 9.2 no longer lets it mark: without this, tests of one module
run on several workers, and each of them starts its own Airflow, world or server.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

REPO = Path(__file__).resolve().parents[1]
_GROUP = re.compile(r'pytestmark\b.*?xdist_group\("([\w-]+)"\)')


@cache
def unit_of(file: str) -> str:
    """The group that a test file names, else the file itself."""
    path = REPO / file
    named = _GROUP.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return f"group {named.group(1)}" if named else file


class ByFileAndGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Units in the order of collection: the slow ones (devstack) come early."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid.split("::", 1)[0])
