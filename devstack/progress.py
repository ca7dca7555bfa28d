"""Progress of the demo on the terminal, in Vietnamese: what is done now, for how long, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


def seconds(amount: float) -> str:
    """3.14 → `3,1 giây`."""
    return f"{amount:.1f}".replace(".", ",") + " giây"


class Stages:
    """Stages one after the other: a moving line while one runs, a line that stays when it has ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    @contextmanager
    def stage(self, title: str) -> Iterator[Callable[[str], None]]:
        """One stage; the yielded function shows a detail, and the last one stays."""
        begun, last = time.monotonic(), ""
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        moving = self._console.is_terminal
        if not moving:
            self._console.print(f"… {title}", markup=False)
        with Progress(*columns, console=self._console, transient=True, disable=not moving) as progress:
            line: TaskID = progress.add_task(title, total=None)

            def detail(text: str) -> None:
                nonlocal last
                last = text
                progress.update(line, description=f"{title}: {text}" if text else title)

            try:
                yield detail
            except BaseException:
                progress.stop()
                self._done("✘", "red", title, begun, last)
                raise
        self._done("✔", "green", title, begun, last)

    def _done(self, mark: str, colour: str, title: str, begun: float, detail: str) -> None:
        told = f"{title}: {detail}" if detail else title
        self._console.print(f"[{colour}]{mark}[/{colour}] ", end="")
        self._console.print(
            f"{told} ({seconds(time.monotonic() - begun)})", markup=False, highlight=False, soft_wrap=True
        )
