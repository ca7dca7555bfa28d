"""Between us and a system that speaks HTTP: remembers requests, cuts, repeats and rewrites answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from simulator.network.messages import Answer, Request, pass_on
from tests.sources.conformance.bench import Matches, Passage
from tests.sources.conformance.hooks import Hooks

#: What was asked, the JSON of the answer → the JSON that is shown instead.
Rewrite = Callable[[Passage, Any], Any]


#: What a proxy shows when its system is in maintenance.
_PAGE = Answer(200, (("Content-Type", "text/html"),), b"<!DOCTYPE html><html><body>Bao tri</body></html>")


class HttpTap(Hooks):
    """`with HttpTap(server.url) as tap: tap.url`. `rewrites` are applied in order to every JSON answer."""

    def __init__(self, upstream_url: str) -> None:
        super().__init__()
        parts = urlsplit(upstream_url)
        self.upstream = (parts.hostname or "127.0.0.1", parts.port or 80, 60.0)
        self.rewrites: list[Rewrite] = []
        #: How far ahead the system's clock is shown to be, in the `Date` of its answers.
        self.clock_ahead = timedelta()
        self._server = _Server(("127.0.0.1", 0), self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, passage: Passage, request: Request) -> Answer | None:
        """What the system answers, rewritten."""
        answer = pass_on(request, *self.upstream)
        if any(matches(passage) for matches in self._garbled):
            return _PAGE
        if answer is None:
            return None
        if self.clock_ahead:
            answer = replace(answer, headers=tuple((name, self._date(name, value)) for name, value in answer.headers))
        if not self.rewrites:
            return answer
        try:
            body = json.loads(answer.body)
        except ValueError:
            return answer
        for rewrite in self.rewrites:
            body = rewrite(passage, body)
        return answer.with_body(json.dumps(body).encode())

    def garble(self, matches: Matches) -> None:
        self._garbled.append(matches)

    def _date(self, name: str, value: str) -> str:
        if name.lower() != "date":
            return value
        return format_datetime(parsedate_to_datetime(value) + self.clock_ahead, usegmt=True)

    def __enter__(self) -> HttpTap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], tap: HttpTap) -> None:
        self.tap = tap
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request.read(self.command, self.path, tuple(self.headers.items()), body)
        passage = Passage(time.monotonic(), f"{self.command} {self.path} {body.decode('utf-8', 'replace')}")
        tap = self.server.tap
        tap.note(passage)
        answer = tap.answer(passage, request)
        if answer is None:
            self.close_connection = True
            return
        cut = tap.is_cut(passage)
        self.wfile.write(answer.whole[: -(len(answer.body) + 1) // 2] if cut else answer.whole)
        self.close_connection = self.close_connection or cut

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: `HttpTap.log`."""
