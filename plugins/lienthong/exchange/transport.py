"""One request and its answer over HTTP/1.1: bounded in time and size, and never the answer to something else.

httpx builds the request, httpcore carries it. By themselves their time-outs are per read, and a connection may be used
again while something of the last answer is still unread; both are ruled out here (portal-exchange §1).
"""

from __future__ import annotations

import codecs
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from lienthong.exchange.replies import Fault, retry_after
from lienthong.exchange.settings import PortalSettings

_SLICE = 65_536
_KEPT_ALIVE_S = 5.0
_CHARSETS = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "iso8859-1", "cp1252", "cp1258"})
_NOT_SENT = (
    httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.UnsupportedProtocol,
)  # fmt: skip


@dataclass(frozen=True)
class Transfer:
    """What came back. `status` is None exactly when there was a `fault`; `text` also when the body can't be read."""

    status: int | None
    text: str | None
    fault: Fault | None
    retry_after_s: float | None = None


class _TooLargeError(Exception):
    """The body is longer than an answer may be."""


class Transport:
    """The way of one client to one server; for one thread at a time."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], params: Mapping[str, str] | None, settings: PortalSettings
    ) -> None:
        self._base = base_url.rstrip("/")
        self._params = dict(params) if params else None
        self._settings = settings
        self._headers = {**headers, "Accept-Encoding": "identity"}
        if not settings.keep_alive:
            self._headers["Connection"] = "close"
        self._network = _Network()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context() if self._base.startswith("https") else None,
            proxy=_proxy(self._base),
            max_connections=1,
            max_keepalive_connections=1 if settings.keep_alive else 0,
            keepalive_expiry=_KEPT_ALIVE_S,
            network_backend=self._network,
        )

    def post(self, path: str, content: bytes) -> Transfer:
        """Send and read within `total_timeout_s`; never raises for what the network or the server does."""
        self._network.until = time.monotonic() + self._settings.total_timeout_s
        clean = False
        try:
            response = self._pool.handle_request(self._request(path, content))
            try:
                body = self._body(response)
            finally:
                response.close()
            clean = self._settings.keep_alive and not self._unread()
        except _NOT_SENT:
            return Transfer(None, None, Fault.NOT_SENT)
        except httpcore.TimeoutException:
            return Transfer(None, None, Fault.LATE)
        except _TooLargeError:
            return Transfer(None, None, Fault.TOO_LARGE)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError):
            return Transfer(None, None, Fault.LOST)
        finally:
            if not clean:
                self.drop()
        headers = httpx.Headers(response.headers)
        plain = _decompressed(body, headers.get("Content-Encoding", ""), self._settings.answer_max_bytes)
        wait = retry_after(headers.get("Retry-After"), headers.get("Date"), datetime.now(UTC))
        text = None if plain is None else _text(plain, headers.get("Content-Type"))
        return Transfer(response.status, text, None, wait)

    def drop(self) -> None:
        """Close the connection: the next request gets another one."""
        self._pool.close()

    def _request(self, path: str, content: bytes) -> httpcore.Request:
        url = path if "://" in path else f"{self._base}/{path.lstrip('/')}"
        made = httpx.Request("POST", url, params=self._params, headers=self._headers, content=content)
        timeouts = {
            "connect": self._settings.connect_timeout_s,
            "pool": self._settings.connect_timeout_s,
            "read": self._settings.read_timeout_s,
            "write": self._settings.read_timeout_s,
        }
        target = httpcore.URL(
            scheme=made.url.raw_scheme, host=made.url.raw_host, port=made.url.port, target=made.url.raw_path
        )
        return httpcore.Request(
            "POST", target, headers=made.headers.raw, content=content, extensions={"timeout": timeouts}
        )

    def _body(self, response: httpcore.Response) -> bytes:
        body = bytearray()
        stream = response.stream
        assert isinstance(stream, Iterable)
        for part in stream:
            body += part
            if len(body) > self._settings.answer_max_bytes:
                raise _TooLargeError
        return bytes(body)

    def _unread(self) -> bool:
        """Whether anything came after the answer. httpcore doesn't tell what its parser holds; where that can't be
        found out, it counts as a yes.
        """
        if self._network.unread():
            return True
        for connection in self._pool.connections:
            parser = getattr(getattr(connection, "_connection", None), "_h11_state", None)
            if parser is None or parser.trailing_data[0]:
                return True
        return False


class _Network(httpcore.SyncBackend):
    """Connections whose every operation ends at `until` (a time of `time.monotonic`)."""

    until = 0.0
    _newest: httpcore.NetworkStream | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """As SyncBackend's, but all addresses of the host together take `timeout` at most."""
        ends = min(self.until, time.monotonic() + (self.left(timeout, httpcore.ConnectTimeout)))
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        failed: Exception = httpcore.ConnectError("the host has no address")
        for *_, address in found:
            left = ends - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout("no address of the host answered in time")
            try:
                stream = super().connect_tcp(str(address[0]), port, left, local_address, socket_options)
                return self.bounded(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    def bounded(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        self._newest = stream
        return _Stream(stream, self)

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        """Seconds that one operation may take; raises `late` when the call's time is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise late("the time of the call is over")
        return left if timeout is None else min(left, timeout)

    def unread(self) -> bool:
        """Whether the newest connection holds bytes that nobody has read (or was closed by the server)."""
        if self._newest is None:
            return True
        tls = self._newest.get_extra_info("ssl_object")
        return bool(self._newest.get_extra_info("is_readable")) or bool(tls is not None and tls.pending())


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, network: _Network) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):
            left = self._network.left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _SLICE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._network.left(timeout, httpcore.ConnectTimeout)
        return self._network.bounded(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _proxy(base_url: str) -> httpcore.Proxy | None:
    """The proxy that the environment names for this server (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY; NO_PROXY)."""
    url = httpx.URL(base_url)
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    return httpcore.Proxy(found) if found and not proxy_bypass(url.host) else None


def _decompressed(body: bytes, encoding: str, most: int) -> bytes | None:
    """The body itself; None for one that can't be decompressed within `most` bytes. None was asked for."""
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return body
    if kind not in ("gzip", "x-gzip", "deflate"):
        return None
    engine = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    try:
        plain = engine.decompress(body, most + 1)
    except zlib.error:
        return None
    return plain if engine.eof and len(plain) <= most else None


def _text(body: bytes, content_type: str | None) -> str:
    """JSON is UTF-8; another common charset is believed when the server names it. Never fails."""
    charset = (content_type or "").lower().partition("charset=")[2]
    try:
        name = codecs.lookup(charset.split(";")[0].strip(" \"'") or "utf-8").name
    except (LookupError, ValueError):
        name = "utf-8"
    return body.decode(name if name in _CHARSETS else "utf-8", errors="replace")
