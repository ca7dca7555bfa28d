"""The running services where citizens say something: the national PAKN, each 1022, each service of ratings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType

from simulator.danhgia import RatingServer
from simulator.feedback import Feedback
from simulator.feedback.book import WITH_HOTLINE, WITH_RATINGS
from simulator.hotline import HotlineServer
from simulator.pakn import PaknServer

Services = dict[str, dict[str, dict[str, str]]]


class Desks:
    """All of them, on free ports, or on `port` and counting up: `with Desks(feedbacks) as desks: desks.services()`."""

    def __init__(self, feedbacks: Mapping[str, Feedback], *, host: str = "127.0.0.1", port: int = 0) -> None:
        numbers = iter(range(port, port + 100)) if port else iter([0] * 100)
        self.pakn = PaknServer(feedbacks, host=host, port=next(numbers))
        self.hotlines = {
            code: HotlineServer(feedbacks[code], host=host, port=next(numbers))
            for code in WITH_HOTLINE
            if code in feedbacks
        }
        self.ratings = {
            code: RatingServer(feedbacks[code], host=host, port=next(numbers))
            for code in WITH_RATINGS
            if code in feedbacks
        }
        self._running = ExitStack()

    def services(self) -> Services:
        """Where and how each is reached, by source id. Only provinces with a 1022 read the national desk."""
        return {
            "petitions": {f"pakn_{code.lower()}": self.pakn.service(code) for code in self.hotlines}
            | {f"hotline1022_{code.lower()}": server.service(code) for code, server in self.hotlines.items()},
            "ratings": {f"rating_{code.lower()}": server.service(code) for code, server in self.ratings.items()},
        }

    def __enter__(self) -> Desks:
        for server in (self.pakn, *self.hotlines.values(), *self.ratings.values()):
            self._running.enter_context(server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
