"""Runs a portal under uvicorn, in a thread: beside a test, or while `python -m simulator up` waits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.routing import Route

from simulator.portal.app import create_app
from simulator.portal.state import Account, Portal
from simulator.portal.store import Store
from simulator.portal.switches import FaultKind, PortalSwitches
from simulator.world import World

STOP_TIMEOUT_S = 20.0


def _server(portal: Portal, more_routes: Sequence[Route] = ()) -> uvicorn.Server:
    config = uvicorn.Config(
        create_app(portal, more_routes),
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 means any free one."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(256)  # from here on clients wait instead of being refused
    return bound


def serve(
    portal: Portal, bound: socket.socket, more_routes: Sequence[Route] = (), stopping: threading.Event | None = None
) -> None:
    """Serve until `stopping` is set, or a signal handler of the caller raises (KeyboardInterrupt).

    The server has a thread of its own: an exception raised inside its event loop would leave it half-closed.
    """
    server = _server(portal, more_routes)
    server.config.load()
    server.config.get_loop_factory()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="portal", daemon=True)
    thread.start()
    try:
        while thread.is_alive() and not (stopping and stopping.is_set()):
            thread.join(0.2)
    finally:
        server.should_exit = True
        thread.join(STOP_TIMEOUT_S)


class PortalServer:
    """A portal on a free loopback port, in a thread: `with PortalServer(world) as portal: portal.url`."""

    def __init__(
        self, world: World | None = None, *, store_path: Path | None = None, switches: PortalSwitches | None = None,
        port: int = 0,
    ) -> None:  # fmt: skip
        self.portal = Portal(store_path=store_path, switches=switches, reference=world.catalogue if world else None)
        self._socket = listen("127.0.0.1", port)
        self.port = int(self._socket.getsockname()[1])
        self._server = _server(self.portal)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="portal", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> Store:
        return self.portal.store

    @property
    def switches(self) -> PortalSwitches:
        return self.portal.switches

    @switches.setter
    def switches(self, value: PortalSwitches) -> None:
        self.portal.switches = value

    def account(self, province: str) -> Account:
        """The login of a province."""
        return next(account for account in self.portal.accounts.values() if account.province == province)

    def fail_next(self, service: str, kind: FaultKind | str, times: int = 1) -> None:
        self.portal.fail_next(service, kind, times)

    def __enter__(self) -> PortalServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_TIMEOUT_S)
        self._socket.close()
        self.portal.store.close()
