"""A small HTTP service on a real socket that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lienthong.connections import Connection


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """One answer; `cut`: so many bytes of the body are sent before the connection is closed."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut: int | None = None
    wait: threading.Event | None = None


def said(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


@dataclass
class Service:
    port: int
    asked: list[Asked]

    def connection(self, **extra: Any) -> Connection:
        return Connection("src_service", "http", "127.0.0.1", self.port, "reader", "s3cret-word", "http", extra)


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[Service]:
    """The service, answering each request by `answer`."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
            asked.append(request)
            given = answer(request)
            if given.wait:
                given.wait.wait(5)
            self.send_response_only(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body if given.cut is None else given.body[: given.cut])
            self.close_connection = given.cut is not None

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Service(server.server_address[1], asked)
    finally:
        server.shutdown()
        server.server_close()
