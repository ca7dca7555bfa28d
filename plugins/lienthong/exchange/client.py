"""The portal over HTTP: one session, calls by service name, every answer judged (portal-exchange §1-3)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from lienthong.connections import Connection
from lienthong.exchange.access import Access
from lienthong.exchange.answer import Answer as Answer
from lienthong.exchange.answer import kept_code, kept_message
from lienthong.exchange.limiter import Limiter
from lienthong.exchange.payload import Wire
from lienthong.exchange.repeating import repeat
from lienthong.exchange.replies import Call, CallOutcome, Fault, Form, Reply, judge, read_reply
from lienthong.exchange.settings import CALLS_AHEAD, DstcodeIn, Endpoint, Envelope, PortalSettings
from lienthong.exchange.transport import Transfer, Transport
from lienthong.model.errors import ContractError, PortalAccessError, PortalUnreachableError
from lienthong.model.identifiers import sender_code

LOGIN = "login"
DOSSIERS = "DongBoHoSoMC"
PROGRESS = "CapNhatTienDoHoSoMC"
LOOKUP = "TraCuuHoSo"
_NEEDED = ("auth_endpoint", "integration_endpoint", "share_endpoint")
_AGAIN = (CallOutcome.RETRY, CallOutcome.RATE_LIMITED)
_CLEAR = (CallOutcome.OK, CallOutcome.EXISTS, CallOutcome.REJECTED, CallOutcome.RATE_LIMITED, CallOutcome.RELOGIN)

T = TypeVar("T")


class PortalClient:
    """Calls the portal for one tenant. Use as a context manager, in one thread; for others there is `sibling`.

    Raises PortalAccessError when the account is refused and PortalUnreachableError when no session can be had or the
    portal asked not to be called for now: then nothing was sent. Calls themselves never raise for what the portal
    answers. The evidence of each call is kept until `take_calls`.
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
        access: Access | None = None,
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
        self._access = access or Access(clock)
        self._calls: list[Answer] = []
        dstcode = connection.extra.get("dstcode")
        headers = {"Accept": "application/json", "Content-Type": "application/json", "Charset": "utf-8"}
        if dstcode and settings.dstcode_in is DstcodeIn.HEADER:
            headers["dstcode"] = str(dstcode)
        params = {"dstcode": str(dstcode)} if dstcode and settings.dstcode_in is DstcodeIn.QUERY else None
        self._transport = Transport(connection.http_url(), headers, params, settings)

    def sibling(self) -> Self:
        """Another client for another thread: a connection and evidence of its own; session, settings, limiter and
        clock are shared. Closing it closes nothing of this one.
        """
        return type(self)(
            self._connection,
            self.settings,
            tenant=self.tenant,
            limiter=self.limiter,
            clock=self._clock,
            sleep=self._sleep,
            access=self._access,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the portal has no log-out."""
        self._transport.drop()

    def take_calls(self) -> list[Answer]:
        """The evidence of all calls since the last time, oldest first; without their results, which may be large."""
        taken, self._calls = self._calls, []
        return taken

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
        if answer.outcome is not CallOutcome.OK:
            large = answer.message == Fault.TOO_LARGE
            raise PortalUnreachableError(
                f"{service} gave no catalogue ({answer.outcome}, HTTP {answer.http_status}, code {answer.code})"
                + (f": its answer is longer than {self.settings.answer_max_bytes} bytes." if large else "."),
                next_step="raise answer_max_bytes in portal.yaml if such a list is to be expected."
                if large
                else "try again; if it lasts, ask the portal's operators.",
                source=self.tenant,
                key=next(iter(parameters.values()), None),
            )
        return answer.result

    def _call(
        self, call: Call, service: str, body: dict[str, Any], items: int, endpoint: Endpoint = Endpoint.INTEGRATION
    ) -> Answer:
        """Repeat what certainly did not arrive, as long as the lease on what is sent surely lasts; log in again once
        when the portal wants it.
        """
        until = self._clock() + self.settings.lease_s / CALLS_AHEAD
        relogged = settled = False

        def once() -> Answer:
            nonlocal relogged, settled
            session = self._session(until)
            answer = self._post(call, service, body, items, endpoint, session)
            if answer.outcome is not CallOutcome.RELOGIN:
                return answer
            self._access.refuse(session)
            if relogged:
                settled = True
                return self._after_fresh_login(call, answer, until)
            relogged = True
            return once()

        return self._repeat(once, lambda answer: answer.outcome in _AGAIN and not settled, lambda a: a, until)

    def _after_fresh_login(self, call: Call, answer: Answer, until: float) -> Answer:
        """A new session was refused as well: either it is the account, or words of a refusal look like a session's."""
        if call is not Call.LOOKUP and answer.http_status not in (401, 403):
            session = self._session(until)
            probe = self._post(Call.LOOKUP, LOOKUP, {"mahoso": ""}, 1, Endpoint.INTEGRATION, session)
            if probe.outcome in (CallOutcome.OK, CallOutcome.REJECTED):
                return Answer(**{**vars(answer), "outcome": CallOutcome.REJECTED})
            if probe.outcome is not CallOutcome.RELOGIN:  # nobody knows which; without a session nothing arrived
                return Answer(**{**vars(answer), "outcome": CallOutcome.RETRY})
        raise PortalAccessError(
            f"The portal refuses every session of this account (HTTP {answer.http_status}, code {answer.code}).",
            next_step="check the account and its rights with the portal's operators.",
            source=self.tenant,
            key=self._connection.conn_id,
        )

    def _repeat(
        self, once: Callable[[], T], again: Callable[[T], bool], said: Callable[[T], Answer], until: float
    ) -> T:
        return repeat(
            once,
            again=again,
            said=said,
            lasts=lambda wait: self._lasts(until, wait),
            settings=self.settings,
            sleep=self._sleep,
        )

    def _lasts(self, until: float, wait: float = 0.0) -> bool:
        return self._clock() + wait + self.settings.total_timeout_s <= until

    def _wait_until_welcome(self) -> None:
        self._access.wait_until_welcome(self.settings.retry_after_max_s, self._sleep, self.tenant)

    def _session(self, until: float) -> str:
        session = self._access.session(lambda: self._log_in(until), self.settings.session_life_s)
        if not self._lasts(until):
            raise self._no_session("the log-in took too long")
        return session

    def _log_in(self, until: float) -> str:
        body = {"username": self._connection.login, "password": self._connection.password}

        def once() -> tuple[Answer, Reply]:
            answer, reply = self._exchange(
                Call.LOGIN, LOGIN, self._connection.extra["auth_endpoint"], body, 1, Endpoint.INTEGRATION
            )
            if answer.outcome in (CallOutcome.REJECTED, CallOutcome.RELOGIN):
                raise PortalAccessError(
                    f"The portal refused the log-in (HTTP {answer.http_status}, code {answer.code}).",
                    next_step="correct login and password of the connection.",
                    source=self.tenant,
                    key=self._connection.conn_id,
                )
            return answer, reply

        answer, reply = self._repeat(once, lambda came: not _is_session(*came), lambda came: came[0], until)
        if not _is_session(answer, reply):
            raise self._no_session(f"{answer.outcome}, HTTP {answer.http_status}")
        return str(reply.session)

    def _no_session(self, why: str) -> PortalUnreachableError:
        return PortalUnreachableError(
            f"No session: {why}.",
            next_step="the next run tries again; check the network and the portal if it lasts.",
            source=self.tenant,
            key=self._connection.conn_id,
        )

    def _post(
        self, call: Call, service: str, body: dict[str, Any], items: int, endpoint: Endpoint, session: str
    ) -> Answer:
        envelope = {"session": session, "madonvi": self._sender, "service": service}
        path = str(self._connection.extra[f"{endpoint.value}_endpoint"])
        if self.settings.envelope is Envelope.LGSP:
            path = f"{path.rstrip('/')}/{service}"
        return self._exchange(call, service, path, {**envelope, **body}, items, endpoint)[0]

    def _exchange(
        self, call: Call, service: str, path: str, body: dict[str, Any], items: int, endpoint: Endpoint
    ) -> tuple[Answer, Reply]:
        self._wait_until_welcome()
        if self.limiter is not None:
            self.limiter.wait(endpoint)
        called_at = datetime.now(UTC)
        started = time.perf_counter()
        came = self._transfer(path, body)
        reply = read_reply(came.text, nested=self.settings.envelope is Envelope.LGSP and call is not Call.LOGIN)
        outcome = judge(call, came.status, reply, came.fault, self.settings)
        if reply.form is Form.BROKEN or outcome not in _CLEAR:
            self._transport.drop()
        wait = came.retry_after_s if came.status in (429, 503) else None
        if wait is not None:
            self._access.leave_alone(wait)
        answer = Answer(
            service,
            items,
            outcome,
            came.status,
            kept_code(reply),
            "" if outcome is CallOutcome.OK else kept_message(reply, came.fault, body),
            reply.result or [],
            round((time.perf_counter() - started) * 1000),
            called_at,
            wait,
        )
        self._calls.append(replace(answer, result=[]))
        return answer, reply

    def _transfer(self, path: str, body: dict[str, Any]) -> Transfer:
        return self._transport.post(path, json.dumps(body, ensure_ascii=False).encode())


def _is_session(answer: Answer, reply: Reply) -> bool:
    return answer.outcome is CallOutcome.OK and bool(reply.session)
