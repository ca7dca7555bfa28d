"""Between us and a database: sees the statements, which drivers send as plain text, and cuts answers."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta

from tests.sources.conformance.bench import Passage
from tests.sources.conformance.hooks import Hooks

_CLOCK = re.compile(rb"(?i)\b(now|utc_timestamp)\(\)")
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class TcpTap(Hooks):
    """`with TcpTap(host, port) as tap: tap.port`."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._upstream = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        #: How far ahead the database's clock is shown to be: its answers to `now()` and the like are changed.
        self.clock_ahead = timedelta()

    def __enter__(self) -> TcpTap:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for one in self._open:
            _end(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            self._open += [client, server]
            passing = _Passing(self, client, server)
            threading.Thread(target=passing.ask, daemon=True).start()
            threading.Thread(target=passing.answer, daemon=True).start()


class _Passing:
    """One connection."""

    def __init__(self, tap: TcpTap, client: socket.socket, server: socket.socket) -> None:
        self.tap, self.client, self.server = tap, client, server
        self.cut = self.tells_time = False

    def ask(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(1 << 20):
                passage = Passage(time.monotonic(), data.decode("utf-8", "replace"))
                self.tap.note(passage)
                self.cut = self.cut or self.tap.is_cut(passage)
                self.tells_time = _CLOCK.search(data) is not None
                self.server.sendall(data)
        self._end()

    def answer(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(1 << 16):
                if self.cut:
                    self.client.sendall(data[: len(data) // 2])
                    break
                self.client.sendall(self._at_that_time(data))
        self._end()

    def _at_that_time(self, data: bytes) -> bytes:
        if not (self.tells_time and self.tap.clock_ahead):
            return data
        return _MOMENT.sub(lambda found: _shifted(found.group(), self.tap.clock_ahead), data)

    def _end(self) -> None:
        _end(self.client)
        _end(self.server)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        one.close()


def _shifted(moment: bytes, ahead: timedelta) -> bytes:
    """Of the same length, as the protocols want it."""
    return str(datetime.fromisoformat(moment.decode()) + ahead)[:19].encode()
