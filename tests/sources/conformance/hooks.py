"""What taps have in common: a log, and what is to happen at which request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.sources.conformance.bench import Matches, Passage


@dataclass
class _Hook:
    matches: Matches
    left: int
    action: Callable[[], object]


class Hooks:
    """See `bench.Tap`."""

    def __init__(self) -> None:
        self._log: list[Passage] = []
        self._hooks: list[_Hook] = []
        self._cuts: list[Matches] = []
        self._garbled: list[Matches] = []
        self._lock = threading.Lock()

    @property
    def log(self) -> list[Passage]:
        with self._lock:
            return list(self._log)

    def when(self, matches: Matches, number: int, action: Callable[[], object]) -> None:
        with self._lock:
            self._hooks.append(_Hook(matches, number, action))

    def cut(self, matches: Matches) -> None:
        self._cuts.append(matches)

    def garble(self, matches: Matches) -> None:
        raise NotImplementedError

    def heal(self) -> None:
        with self._lock:
            self._hooks.clear()
            self._cuts.clear()
            self._garbled.clear()

    def note(self, passage: Passage) -> None:
        """A request comes by: remember it, and do what is to be done before it is passed on."""
        with self._lock:
            self._log.append(passage)
            due = []
            for hook in self._hooks:
                hook.left -= hook.matches(passage)
                if hook.left <= 0:
                    due.append(hook)
            self._hooks = [hook for hook in self._hooks if hook.left > 0]
        for hook in due:
            hook.action()

    def is_cut(self, passage: Passage) -> bool:
        return any(matches(passage) for matches in self._cuts)
