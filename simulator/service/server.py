"""Runs a service under uvicorn in a thread, for tests and for `python -m simulator up`."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from simulator.portal.server import STOP_TIMEOUT_S, listen
from simulator.service.endpoints import inspection_routes
from simulator.service.state import FaultKind, Service, ServiceSwitches


class ServiceServer:
    """One service in a thread: `with PaknServer(…) as pakn: pakn.url`."""

    def __init__(
        self, name: str, service: Service, routes: list[Route], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:  # fmt: skip
        self.state = service
        self._socket = listen(host, port)
        self._host, self.port = host, int(self._socket.getsockname()[1])
        app = Starlette(routes=[*routes, *inspection_routes(service)])
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )  # fmt: skip
        config.load()
        config.get_loop_factory()  # imports happen here, not in several threads that a signal may end half-way
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=name, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def switches(self) -> ServiceSwitches:
        return self.state.switches

    @switches.setter
    def switches(self, value: ServiceSwitches) -> None:
        self.state.switches = value

    def service(self, province: str) -> dict[str, str]:
        """Where and how a province reaches it: url, username, password."""
        account = next(account for account in self.state.accounts.values() if account.province == province)
        return {"url": self.url, "username": account.username, "password": account.password}

    def fail_next(self, endpoint: str, kind: FaultKind | str, times: int = 1) -> None:
        self.state.fail_next(endpoint, kind, times)

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
