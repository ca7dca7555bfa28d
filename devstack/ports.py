"""Whether a port of the loopback interface can be had, and who has it otherwise."""

from __future__ import annotations

import random
import socket

import psutil  # type: ignore[import-untyped]

SERVERS = (20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: only a listener is in the way
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_block(size: int) -> int:
    """The first of `size` adjacent free ports, below those that the system gives to clients."""
    while True:
        first = random.randrange(*SERVERS)
        if all(is_free(port) for port in range(first, first + size)):
            return first


def holder(port: int) -> psutil.Process | None:
    """The process that listens on `port`; None when it can't be seen, as that of another user."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return psutil.Process(connection.pid)
            except psutil.NoSuchProcess:
                return None
    return None
