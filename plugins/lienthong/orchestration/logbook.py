"""What a task says in its own log, in Vietnamese: first one sentence about what happened, then the counts, a line each.

Airflow's lines about itself stand around them; a failure's sentence stands above its frames, at level error.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.pipeline.failures import Failure

_log = logging.getLogger("lienthong")


def note(lines: Sequence[str]) -> None:
    """What a task that worked did."""
    for line in lines:
        _log.info("%s", line)


def note_failure(failure: Failure) -> None:
    """What failed and what to do, then the words that may be told."""
    _log.error("LỖI: %s", failure.sentence)
    if failure.said:
        _log.error("Chi tiết: %s", failure.said)
