"""Runs an iGate under uvicorn in a thread, for tests and for `python -m simulator up`."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import uvicorn

from simulator.changes import Change
from simulator.igate.app import TOKEN_PATH, create_app
from simulator.igate.state import Igate, IgateAccount
from simulator.igate.store import Store
from simulator.igate.switches import FaultKind, IgateSwitches
from simulator.portal.server import STOP_TIMEOUT_S, listen
from simulator.world import World


class IgateServer:
    """One province's iGate in a thread: `with IgateServer(world, "H21") as igate: igate.url, igate.token_url`.

    `public_client`: it answers as public clients show it, not as a client's types describe it.
    """

    def __init__(
        self, world: World, province: str, *, switches: IgateSwitches | None = None, host: str = "127.0.0.1",
        port: int = 0, public_client: bool = False,
    ) -> None:  # fmt: skip
        if public_client and switches is None:
            switches = IgateSwitches.of_public_clients()
        self.igate = Igate(world, province, switches=switches)
        self._socket = listen(host, port)
        self._host, self.port = host, int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            create_app(self.igate), log_level="critical", access_log=False, lifespan="off", date_header=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        config.load()
        config.get_loop_factory()  # imports happen here, not in several threads that a signal may end half-way
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=f"igate-{province}", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def token_url(self) -> str:
        return f"{self.url}{TOKEN_PATH}"

    @property
    def account(self) -> IgateAccount:
        return self.igate.account

    @property
    def store(self) -> Store:
        return self.igate.store

    @property
    def switches(self) -> IgateSwitches:
        return self.igate.switches

    @switches.setter
    def switches(self, value: IgateSwitches) -> None:
        self.igate.switches = value

    def service(self) -> dict[str, str]:
        """Where and how to reach it: url, token_url, client_id, username, password."""
        return {
            "url": self.url,
            "token_url": self.token_url,
            "client_id": self.account.client_id,
            "username": self.account.username,
            "password": self.account.password,
        }

    def advance(self, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
        """Move the world on while it is being read (`changes.replay`)."""
        return self.store.advance(seed, changes, at)

    def fail_next(self, endpoint: str, kind: FaultKind | str, times: int = 1) -> None:
        self.igate.fail_next(endpoint, kind, times)

    def __enter__(self) -> IgateServer:
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
