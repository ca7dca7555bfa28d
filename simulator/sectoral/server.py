"""Runs a ministry's system under uvicorn in a thread, for tests and for `python -m simulator up`."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from simulator.changes import Change
from simulator.portal.server import STOP_TIMEOUT_S, listen
from simulator.sectoral.desk import Desk, FaultKind
from simulator.sectoral.inspection import routes as inspection_routes


class ServiceServer:
    """One system in a thread: `with BgtvtServer(world) as bgtvt: bgtvt.url`."""

    def __init__(self, desk: Desk[Any], routes: Sequence[Route], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = listen(host, port)
        self._host, self.port = host, int(self._socket.getsockname()[1])
        self._mover = desk.advance
        app = Starlette(routes=[*routes, *inspection_routes(desk)])
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        config.load()
        config.get_loop_factory()  # imports happen here, not in several threads that a signal may end half-way
        self._server = uvicorn.Server(config)
        name = desk.sector.source_id
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=name, daemon=True
        )
        self._fail_next = desk.fail_next

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    def advance(self, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
        """Move the world on while it is being read."""
        return self._mover(seed, changes, at)

    def fail_next(self, endpoint: str, kind: FaultKind | str, times: int = 1) -> None:
        self._fail_next(endpoint, kind, times)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_S)
        self._socket.close()
