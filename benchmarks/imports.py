"""Seconds that a process spends importing modules while it should be working: Python imports lazily, Airflow waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from typing import Any


class ImportClock:
    """Counts wall and CPU seconds of imports from `start` on; an import inside an import counts once."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.cpu_s = 0.0
        self._depth = threading.local()

    def start(self) -> None:
        """Watch the loaders of source and extension modules for the rest of the process."""
        for loader, method in (
            (SourceFileLoader, "exec_module"),
            (ExtensionFileLoader, "create_module"),
            (ExtensionFileLoader, "exec_module"),
        ):
            setattr(loader, method, self._timed(getattr(loader, method)))

    def _timed(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            if getattr(self._depth, "inside", False):
                return original(*arguments)
            self._depth.inside = True
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return original(*arguments)
            finally:
                self.wall_s += time.perf_counter() - wall
                self.cpu_s += time.thread_time() - cpu
                self._depth.inside = False

        return timed
