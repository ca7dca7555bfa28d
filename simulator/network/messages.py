"""Requests and answers as the network sees them: whose they are, and how they are passed on or spoiled."""

from __future__ import annotations

import functools
import http.client
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

#: What the gzip bomb becomes.
BOMB_BYTES = 64_000_000
_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length", "host"})

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One request, read whole. `service` and `codes` (MaHoSo) come from its JSON body, as far as it is one."""

    method: str
    path: str
    headers: Headers
    body: bytes
    service: str = ""
    codes: frozenset[str] = frozenset()

    @classmethod
    def read(cls, method: str, path: str, headers: Headers, body: bytes) -> Request:
        made = cls(method, path, tuple((k, v) for k, v in headers if k.lower() not in _HOP), body)
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            return made
        service = content.get("service") or path.partition("?")[0].rsplit("/", 1)[-1]
        return replace(made, service=str(service), codes=frozenset(_codes(content)))


@dataclass(frozen=True)
class Answer:
    """One answer, read whole."""

    status: int
    headers: Headers
    body: bytes

    @property
    def head(self) -> bytes:
        """The status line and the headers, without any about length."""
        reason = http.client.responses.get(self.status, "")
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n"

    @property
    def whole(self) -> bytes:
        return self.head + f"Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body

    def with_body(self, body: bytes) -> Answer:
        return replace(self, body=body)


def pass_on(request: Request, host: str, port: int, timeout_s: float) -> Answer | None:
    """Send it to the portal, on a connection of its own; None when no whole answer comes."""
    upstream = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        upstream.request(request.method, request.path, request.body, dict(request.headers) | {"Connection": "close"})
        response = upstream.getresponse()
        kept = tuple((name, value) for name, value in response.getheaders() if name.lower() not in _HOP)
        return Answer(response.status, kept, response.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        upstream.close()


def busy(status: int, retry_after_s: float) -> Answer:
    """An answer that asks to come back later."""
    return Answer(status, (("Content-Type", "text/plain"), ("Retry-After", f"{retry_after_s:.0f}")), b"busy")


def with_changed_bytes(answer: Answer, number: Callable[[int], int]) -> Answer:
    """Some bytes changed; at least one of those that make it JSON."""
    body = bytearray(answer.body or b"{")
    for _ in range(1 + len(body) // 20):
        body[number(len(body))] = 128 + number(128)
    body[0] = 128 + number(128) if number(2) else ord("{")
    body[-1] = ord("{")
    return answer.with_body(bytes(body))


def with_nul(answer: Answer, number: Callable[[int], int]) -> Answer:
    """NUL in the texts: as an escape, which JSON allows, or as it is."""
    nul = b"\\u0000" if number(2) else b"\x00"
    return answer.with_body(answer.body.replace(b'":"', b'":"' + nul) + (nul if number(2) else b""))


def bomb(answer: Answer) -> Answer:
    """A small body that is a large one when it is decompressed."""
    return replace(answer, headers=(*answer.headers, ("Content-Encoding", "gzip")), body=_zeros())


def endless(answer: Answer) -> Iterator[bytes]:
    """Parts of an answer that never ends."""
    yield answer.head + b"Transfer-Encoding: chunked\r\n\r\n"
    part = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    while True:
        yield part


@functools.cache
def _zeros() -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    part = bytes(1_000_000)
    return b"".join(engine.compress(part) for _ in range(BOMB_BYTES // len(part))) + engine.flush()


def _codes(content: dict[str, Any]) -> Iterator[str]:
    if isinstance(content.get("mahoso"), str):
        yield content["mahoso"]
    data = content.get("data")
    for record in data if isinstance(data, list) else ():
        if isinstance(record, dict) and isinstance(record.get("MaHoSo"), str):
            yield record["MaHoSo"]
