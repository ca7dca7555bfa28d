"""Calls in flight: worker threads with a connection each. Nothing here touches the warehouse's deliveries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.items import Job
from lienthong.exchange.settings import CALLS_AHEAD
from lienthong.model.errors import LienThongError


@dataclass(frozen=True)
class Finished:
    """One call that came back: an answer, or the error before which nothing was sent. `calls` is its evidence."""

    job: Job
    answer: Answer | None
    error: LienThongError | None
    calls: Sequence[Answer]


class Crew:
    """Makes calls in parallel; `make` turns a job into a call. Use as a context manager, from one thread.

    An error that is not ours comes out of `finished` as it is: nobody knows what the portal got, and the leases say so.
    """

    def __init__(self, client: PortalClient, workers: int, make: Callable[[PortalClient, Job], Answer]) -> None:
        self._make = make
        self._todo: SimpleQueue[Job | None] = SimpleQueue()
        self._done: SimpleQueue[Finished | BaseException] = SimpleQueue()
        self._clients = [client.sibling() for _ in range(workers)]
        self._threads = [
            threading.Thread(target=self._work, args=(one,), name=f"portal-{number}", daemon=True)
            for number, one in enumerate(self._clients)
        ]
        self.busy = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while True:
                self._todo.get_nowait()
        except Empty:
            pass
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()

    @property
    def size(self) -> int:
        """Calls that may be handed over at once."""
        return len(self._clients) * CALLS_AHEAD

    def submit(self, job: Job) -> None:
        self.busy += 1
        self._todo.put(job)

    def finished(self) -> list[Finished]:
        """Calls that came back: waits for one, then takes all that are there."""
        found = [self._take(self._done.get())]
        try:
            while True:
                found.append(self._take(self._done.get_nowait()))
        except Empty:
            return found

    def _take(self, finished: Finished | BaseException) -> Finished:
        self.busy -= 1
        if isinstance(finished, BaseException):
            raise finished
        return finished

    def _work(self, client: PortalClient) -> None:
        while (job := self._todo.get()) is not None:
            try:
                answer = self._make(client, job)
            except LienThongError as error:
                self._done.put(Finished(job, None, error, client.take_calls()))
            except BaseException as error:
                self._done.put(error)
            else:
                self._done.put(Finished(job, answer, None, client.take_calls()))
