"""The proxy: takes calls on loopback, passes them to the portal, and lets happen what the plan says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from simulator.network import messages
from simulator.network.faults import Fault, Passage, Plan
from simulator.network.messages import Answer, Request, pass_on

#: Where the network itself is looked at and switched; everything else is passed on.
CONTROL = "/_network"


@dataclass
class _Held:
    request: Request
    left: int


class FaultyNetwork:
    """`with FaultyNetwork(portal.url, seed=1, shares={Fault.CUT_AFTER: 0.1}) as network: network.url`.

    `hold_s`: how long a slow answer is held; `drip_s`: between two dripped bytes; `retry_after_s`: what a busy portal
    asks for; `late_after`: how many calls that name one of its dossiers overtake a late request.
    """

    def __init__(
        self,
        upstream_url: str,
        *,
        seed: int = 0,
        shares: Mapping[Fault, float] | None = None,
        hold_s: float = 65.0,
        drip_s: float = 0.05,
        retry_after_s: float = 1.0,
        late_after: int = 1,
        upstream_timeout_s: float = 120.0,
        port: int = 0,
    ) -> None:
        parts = urlsplit(upstream_url)
        self.plan = Plan(seed, shares or {})
        self.hold_s, self.drip_s, self.retry_after_s, self.late_after = hold_s, drip_s, retry_after_s, late_after
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80, upstream_timeout_s)
        self._log: list[Passage] = []
        self._held: list[_Held] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="network", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> list[Passage]:
        """What happened to every call so far, in the order in which they came in."""
        with self._lock:
            return list(self._log)

    def fail_next(self, service: str, fault: Fault | str, times: int = 1) -> None:
        """The next `times` calls of `service` ("login", a service name, "*" for any) get `fault`."""
        self.plan.order(service, fault, times)

    def on(self) -> None:
        """Draw faults by the shares."""
        self.plan.turn(on=True)

    def off(self) -> None:
        """No faults from now on; what is held stays held until it is overtaken, or `flush`."""
        self.plan.turn(on=False)

    def flush(self) -> int:
        """Pass on every late request that is still held; returns their number."""
        with self._lock:
            held, self._held = self._held, []
        for one in held:
            self._deliver(one.request)
        return len(held)

    def forget(self) -> None:
        """Drop what is held, the orders and the log."""
        with self._lock:
            self._held.clear()
            self._log.clear()
        self.plan.turn(on=False)
        self.plan.turn(on=True)

    def take(self, request: Request) -> Fault | None:
        """A call came in: what happens to it."""
        fault = self.plan.fault_of(request.service)
        with self._lock:
            self._log.append(Passage(request.service, fault))
            if fault is Fault.LATE_REQUEST:
                self._held.append(_Held(request, self.late_after))
        return fault

    def send(self, request: Request) -> Answer | None:
        """Pass it on; then whatever it overtook for the last time."""
        answer = pass_on(request, *self._upstream)
        for one in self._overtaken(request):
            self._deliver(one)
        return answer

    def wait(self, seconds: float) -> bool:
        """False when the network is being shut down."""
        return not self._stopping.wait(seconds)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def _overtaken(self, request: Request) -> list[Request]:
        with self._lock:
            for one in self._held:
                one.left -= bool(one.request.codes & request.codes)
            due = [one.request for one in self._held if one.left <= 0]
            self._held = [one for one in self._held if one.left > 0]
        return due

    def _deliver(self, request: Request) -> None:
        with self._lock:
            self._log.append(Passage(request.service, Fault.LATE_REQUEST, late=True))
        pass_on(request, *self._upstream)

    def __enter__(self) -> FaultyNetwork:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], network: FaultyNetwork) -> None:
        self.network = network
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        request = self._request()
        if self.path.startswith(CONTROL):
            self._control(request)
            return
        network = self.server.network
        fault = network.take(request)
        if fault in (Fault.BUSY_429, Fault.BUSY_503):
            self._write([messages.busy(429 if fault is Fault.BUSY_429 else 503, network.retry_after_s).whole])
            return
        if fault is not None and not fault.reaches:
            self.close_connection = True
            return
        answer = network.send(request)
        if fault is Fault.DOUBLED_REQUEST:
            answer = network.send(request)
        if answer is None or fault is Fault.CUT_AFTER:
            self.close_connection = True
            return
        self._write(self._spoiled(answer, fault))
        if fault in (Fault.CUT_MIDDLE, Fault.ENDLESS):
            self.close_connection = True

    def do_GET(self) -> None:
        request = self._request()
        if self.path.startswith(CONTROL):
            self._control(request)
            return
        answer = self.server.network.send(request)
        if answer is None:
            self.close_connection = True
        else:
            self._write([answer.whole])

    do_PUT = do_GET

    def _request(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Request.read(self.command, self.path, tuple(self.headers.items()), body)

    def _spoiled(self, answer: Answer, fault: Fault | None) -> Iterable[bytes]:
        network = self.server.network
        match fault:
            case Fault.CUT_MIDDLE:
                return [answer.whole[: -(len(answer.body) + 1) // 2]]
            case Fault.SLOW:
                return [answer.whole] if network.wait(network.hold_s) else []
            case Fault.DRIP:
                return (bytes([one]) for one in answer.whole if network.wait(network.drip_s))
            case Fault.DOUBLED_ANSWER:
                return [answer.whole + answer.whole]
            case Fault.GARBLED_BYTES:
                return [messages.with_changed_bytes(answer, network.plan.number).whole]
            case Fault.GARBLED_NUL:
                return [messages.with_nul(answer, network.plan.number).whole]
            case Fault.GARBLED_TRUNCATED:
                return [answer.with_body(answer.body[: len(answer.body) // 2]).whole]
            case Fault.ENDLESS:
                return messages.endless(answer)
            case Fault.GZIP_BOMB:
                return [messages.bomb(answer).whole]
        return [answer.whole]

    def _write(self, parts: Iterable[bytes]) -> None:
        try:
            for part in parts:
                if self.server.network.stopping:
                    break
                self.wfile.write(part)
        except OSError:  # the client is gone
            self.close_connection = True

    def _control(self, request: Request) -> None:
        """GET: what happened. POST {on, shares, order: {service, fault, times}, flush}: each key is optional."""
        network = self.server.network
        said: dict[str, Any] = {}
        try:
            order: dict[str, Any] = json.loads(request.body) if request.method == "POST" else {}
            if "shares" in order:
                network.plan.shares = {Fault(name): float(share) for name, share in order["shares"].items()}
            if "on" in order:
                network.plan.turn(on=bool(order["on"]))
            if "order" in order:
                network.fail_next(**order["order"])
            if order.get("flush"):
                said["flushed"] = network.flush()
        except (ValueError, TypeError, AttributeError) as error:
            said["error"] = str(error)
        status = 400 if "error" in said else 200
        body = said | {"shares": network.plan.shares, "log": [asdict(passage) for passage in network.log]}
        self._write([Answer(status, (("Content-Type", "application/json"),), json.dumps(body).encode()).whole])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log of the network is `FaultyNetwork.log`."""
