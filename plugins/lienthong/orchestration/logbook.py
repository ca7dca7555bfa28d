"""What a task says in its own log, in Vietnamese: first one sentence about what happened, then the counts, a line each.

Airflow's lines about itself stand around them; a failure's sentence stands above its frames, at level error.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

_log = logging.getLogger("lienthong")


def note(lines: Sequence[str]) -> None:
    """What a task that worked did."""
    for line in lines:
        _log.info("%s", line)


def note_failure(kind: str, said: str) -> None:
    """What failed and what to do, by the class of the error, then the words that may be told."""
    from lienthong.views.errors import failure_words

    what, next_step = failure_words(kind, said)
    _log.error("LỖI: %s. Việc cần làm: %s.", what, next_step)
    if said:
        _log.error("Chi tiết: %s", said)
