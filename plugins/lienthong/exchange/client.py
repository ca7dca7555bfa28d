"""The portal over HTTP: one session, calls by service name, every answer judged (portal-exchange §1-3)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

from lienthong.connections import Connection
from lienthong.exchange.limiter import Limiter
from lienthong.exchange.payload import Wire, texts_of
from lienthong.exchange.replies import Call, Fault, Form, Outcome, Reply, judge, read_reply
from lienthong.exchange.settings import DstcodeIn, Endpoint, Envelope, PortalSettings
from lienthong.model.errors import ContractError, PortalAccessError, PortalUnreachableError
from lienthong.model.identifiers import sender_code
from lienthong.model.masking import mask

LOGIN = "login"
DOSSIERS = "DongBoHoSoMC"
PROGRESS = "CapNhatTienDoHoSoMC"
LOOKUP = "TraCuuHoSo"
_NEEDED = ("auth_endpoint", "integration_endpoint", "share_endpoint")
_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True)
class Answer:
    """One judged answer. `message` is masked and empty for a success; `result` may hold what the portal serves."""

    service: str
    items: int
    outcome: Outcome
    http_status: int | None
    code: str | None
    message: str
    result: list[dict[str, Any]] = field(repr=False)
    duration_ms: int
    called_at: datetime


class PortalClient:
    """Calls the portal for one tenant. Use as a context manager.

    Raises PortalAccessError when the account is refused and PortalUnreachableError when no session can be had; calls
    themselves never raise for what the portal answers. The evidence of each call is kept until `take_calls`.
    """

    def __init__(
        self,
        connection: Connection,
        settings: PortalSettings,
        *,
        tenant: str,
        limiter: Limiter | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        missing = [name for name in _NEEDED if not connection.extra.get(name)]
        if missing or not connection.login:
            what = ", ".join(missing) or "login"
            raise ContractError(
                f"Connection {connection.conn_id!r} lacks {what}.",
                next_step="complete the connection (see docs, portal connection).",
                source=tenant,
                key=connection.conn_id,
            )
        self.tenant = tenant
        self.settings = settings
        self.limiter = limiter
        self._connection = connection
        self._sender = str(connection.extra.get("madonvi") or sender_code(tenant))
        self._clock = clock
        self._sleep = sleep
        self._session: str | None = None
        self._session_until = 0.0
        self._calls: list[Answer] = []
        dstcode = connection.extra.get("dstcode")
        headers = {"Accept": "application/json", "Content-Type": "application/json", "Charset": "utf-8"}
        if dstcode and settings.dstcode_in is DstcodeIn.HEADER:
            headers["dstcode"] = str(dstcode)
        self._http = httpx.Client(
            base_url=connection.http_url(),
            headers=headers,
            params={"dstcode": str(dstcode)} if dstcode and settings.dstcode_in is DstcodeIn.QUERY else None,
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the portal has no log-out."""
        self._http.close()

    def take_calls(self) -> list[Answer]:
        """The evidence of all calls since the last time, oldest first; without their results, which may be large."""
        taken, self._calls = self._calls, []
        return taken

    def return_calls(self, calls: Sequence[Answer]) -> None:
        """Give taken evidence back: it could not be kept."""
        self._calls[:0] = calls

    def prepare(self) -> None:
        """Have a session and a token, so that what is noted as being sent next is sent at once or not at all."""
        self._open_session()
        if self.limiter is not None:
            self.limiter.reserve(Endpoint.INTEGRATION)

    def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
        """DongBoHoSoMC: create or update dossiers (§2.1)."""
        body = {"isUpdating": "True" if updating else "False", "data": list(payloads)}
        return self._call(Call.UPDATE if updating else Call.CREATE, DOSSIERS, body, len(payloads))

    def send_steps(self, payloads: Sequence[Wire]) -> Answer:
        """CapNhatTienDoHoSoMC: add progress steps (§2.4)."""
        return self._call(Call.PROGRESS, PROGRESS, {"data": list(payloads)}, len(payloads))

    def find_dossier(self, dossier_code: str) -> Answer:
        """TraCuuHoSo: OK with an empty `result` means that the portal does not know the code (§2.5)."""
        return self._call(Call.LOOKUP, LOOKUP, {"mahoso": dossier_code}, 1)

    def catalogue(self, service: str, endpoint: Endpoint = Endpoint.SHARE, **parameters: str) -> list[dict[str, Any]]:
        """A catalogue service (§3.1). Anything but an answer is a PortalUnreachableError."""
        answer = self._call(Call.CATALOGUE, service, dict(parameters), 1, endpoint)
        if answer.outcome is not Outcome.OK:
            raise PortalUnreachableError(
                f"{service} gave no catalogue ({answer.outcome}, HTTP {answer.http_status}, code {answer.code}).",
                next_step="try again; if it lasts, ask the portal's operators.",
                source=self.tenant,
                key=next(iter(parameters.values()), None),
            )
        return answer.result

    def _call(
        self, call: Call, service: str, body: dict[str, Any], items: int, endpoint: Endpoint = Endpoint.INTEGRATION
    ) -> Answer:
        """Repeat what certainly did not arrive; log in again once when the portal wants it."""
        relogged = False
        attempt = 1
        while True:
            answer = self._post(call, service, body, items, endpoint)
            if answer.outcome is Outcome.RELOGIN:
                self._session = None
                if not relogged:
                    relogged = True
                    continue
                return self._after_fresh_login(call, answer)
            if answer.outcome not in (Outcome.RETRY, Outcome.RATE_LIMITED) or attempt >= self.settings.max_attempts:
                return answer
            self._sleep(min(self.settings.backoff_s * 2 ** (attempt - 1), _LONGEST_WAIT_S))
            attempt += 1

    def _after_fresh_login(self, call: Call, answer: Answer) -> Answer:
        """A new session was refused as well: either it is the account, or words of a refusal look like a session's."""
        if call is not Call.LOOKUP and answer.http_status not in (401, 403):
            probe = self._post(Call.LOOKUP, LOOKUP, {"mahoso": ""}, 1, Endpoint.INTEGRATION)
            if probe.outcome is not Outcome.RELOGIN:
                return Answer(**{**vars(answer), "outcome": Outcome.REJECTED})
        raise PortalAccessError(
            f"The portal refuses every session of this account (HTTP {answer.http_status}, code {answer.code}).",
            next_step="check the account and its rights with the portal's operators.",
            source=self.tenant,
            key=self._connection.conn_id,
        )

    def _open_session(self) -> str:
        if self._session is not None and self._clock() < self._session_until:
            return self._session
        body = {"username": self._connection.login, "password": self._connection.password}
        for attempt in range(1, self.settings.max_attempts + 1):
            answer, reply = self._exchange(
                Call.LOGIN, LOGIN, self._connection.extra["auth_endpoint"], body, 1, Endpoint.INTEGRATION
            )
            if answer.outcome is Outcome.OK and reply.session:
                self._session = reply.session
                self._session_until = self._clock() + self.settings.session_life_s
                return reply.session
            if answer.outcome in (Outcome.REJECTED, Outcome.RELOGIN):
                raise PortalAccessError(
                    f"The portal refused the log-in (HTTP {answer.http_status}, code {answer.code}).",
                    next_step="correct login and password of the connection.",
                    source=self.tenant,
                    key=self._connection.conn_id,
                )
            if attempt < self.settings.max_attempts:
                self._sleep(min(self.settings.backoff_s * 2 ** (attempt - 1), _LONGEST_WAIT_S))
        raise PortalUnreachableError(
            f"No session: {answer.outcome}, HTTP {answer.http_status}.",
            next_step="the next run tries again; check the network and the portal if it lasts.",
            source=self.tenant,
            key=self._connection.conn_id,
        )

    def _post(self, call: Call, service: str, body: dict[str, Any], items: int, endpoint: Endpoint) -> Answer:
        envelope = {"session": self._open_session(), "madonvi": self._sender, "service": service}
        path = str(self._connection.extra[f"{endpoint.value}_endpoint"])
        if self.settings.envelope is Envelope.LGSP:
            path = f"{path.rstrip('/')}/{service}"
        return self._exchange(call, service, path, {**envelope, **body}, items, endpoint)[0]

    def _exchange(
        self, call: Call, service: str, path: str, body: dict[str, Any], items: int, endpoint: Endpoint
    ) -> tuple[Answer, Reply]:
        if self.limiter is not None:
            self.limiter.wait(endpoint)
        called_at = datetime.now(UTC)
        started = time.perf_counter()
        status, text, fault = self._transfer(path, body)
        reply = read_reply(text, nested=self.settings.envelope is Envelope.LGSP and call is not Call.LOGIN)
        outcome = judge(call, status, reply, fault, self.settings)
        answer = Answer(
            service,
            items,
            outcome,
            status,
            _short(reply.code),
            "" if outcome is Outcome.OK else _kept(reply, fault, body),
            reply.result or [],
            round((time.perf_counter() - started) * 1000),
            called_at,
        )
        self._calls.append(replace(answer, result=[]))
        return answer, reply

    def _transfer(self, path: str, body: dict[str, Any]) -> tuple[int | None, str | None, Fault | None]:
        try:
            response = self._http.post(path, content=json.dumps(body, ensure_ascii=False).encode())
            return response.status_code, response.text, None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol):
            return None, None, Fault.NOT_SENT
        except httpx.RequestError:
            return None, None, Fault.LOST


def _short(code: str | None) -> str | None:
    return None if code is None else mask(code)[:20]


def _kept(reply: Reply, fault: Fault | None, body: dict[str, Any]) -> str:
    if fault is not None:
        return fault.value
    return mask(reply.message, texts_of([body])) if reply.form is not Form.BROKEN else "unreadable answer"
