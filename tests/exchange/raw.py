"""A server that answers with the very bytes it was given: for answers that no portal should give."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from lienthong.connections import Connection

Script = bytes | Sequence[bytes]


class RawServer:
    """Answers one request after the other with `script`: bytes at once, a list in pieces; when it is at its end, with
    `log_in` and `always`, if given. Connections stay open.
    """

    def __init__(self, script: Sequence[Script], *, pause_s: float = 0.0, log_in: bytes | None = None) -> None:
        self.requests: list[bytes] = []
        self.always: bytes | None = None
        self._log_in = log_in
        self.connections = 0
        self._script = list(script)
        self._pause_s = pause_s
        self._written = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @staticmethod
    def json(body: Any, *, encoding: str | None = None, status: int = 200) -> bytes:
        """A whole answer."""
        return RawServer.answer(json.dumps(body, ensure_ascii=False).encode(), encoding=encoding, status=status)

    @staticmethod
    def answer(body: bytes, *, encoding: str | None = None, status: int = 200) -> bytes:
        packed = gzip.compress(body) if encoding else body
        named = f"Content-Encoding: {encoding}\r\n" if encoding else ""
        return f"HTTP/1.1 {status} X\r\n{named}Content-Length: {len(packed)}\r\n\r\n".encode() + packed

    def connection(self) -> Connection:
        paths = {"auth_endpoint": "/login", "integration_endpoint": "/g", "share_endpoint": "/g"}
        return Connection("raw", "http", "127.0.0.1", self._socket.getsockname()[1], "u", "p", "http", paths)

    def settled(self) -> None:
        """Return when everything of the last answer is written."""
        assert self._written.wait(10)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._threads[0].join()

    def _accept(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with taken, taken.makefile("rb") as stream:
            try:
                while head := self._head(stream):
                    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                    self.requests.append(head + stream.read(int(length.split(b":")[1])))
                    self._written.clear()
                    script = self._next(head)
                    if script is None:
                        return
                    for part in [script] if isinstance(script, bytes) else script:
                        taken.sendall(part)
                        time.sleep(self._pause_s)
                    self._written.set()
            except OSError:
                return

    def _next(self, head: bytes) -> Script | None:
        if self._script:
            return self._script.pop(0)
        return self._log_in if head.startswith(b"POST /login") else self.always

    @staticmethod
    def _head(stream: Any) -> bytes:
        head = b""
        while line := stream.readline():
            head += line
            if line == b"\r\n":
                break
        return head
