"""What a small service remembers: who logged in, which failures are ordered, what was called."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """One failure of the next call of an endpoint."""

    HTML_PAGE = "html_page"  # a proxy's page with status 200
    ERROR_BODY = "error_body"  # status 200, the body is an error
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"  # with Retry-After
    HTTP_429 = "http_429"  # with Retry-After
    TRUNCATED_JSON = "truncated_json"  # the body ends in the middle
    DROP = "drop"  # the connection breaks in the middle of the answer
    REFUSE_TOKEN = "refuse_token"  # the token is refused although it is fresh
    PAGE_REPEAT = "page_repeat"  # the rows of the page before under this page's number
    PAGE_SKIP = "page_skip"  # one row before this page's is never shown


@dataclass(frozen=True)
class ServiceAccount:
    """One login; `province` is whose records it may read."""

    username: str
    password: str
    province: str


@dataclass(frozen=True)
class ServiceSwitches:
    """Defaults are a well-behaved server."""

    token_ttl_s: float = 900.0
    refuse_after_pages: int = 0  # after so many pages all tokens given so far are refused; 0 = never
    max_page_size: int = 200  # larger sizes are cut down without a word
    retry_after_s: int = 1  # what 429 and 503 ask for
    extra_field: bool = False  # rows have a field that nobody announced
    lacks_status: bool = False  # rows have lost the field with the status

    def changed(self, values: dict[str, Any]) -> ServiceSwitches:
        """A copy with some values changed; ValueError for an unknown name."""
        unknown = set(values) - {field.name for field in fields(self)}
        if unknown:
            raise ValueError(f"no switch is named {sorted(unknown)[0]!r}")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Service:
    """State of one running service. `accounts` by user name."""

    def __init__(
        self, accounts: Mapping[str, ServiceAccount], *, switches: ServiceSwitches | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.accounts = dict(accounts)
        self.calls: deque[tuple[str, int]] = deque(maxlen=10_000)
        self.counts: Counter[str] = Counter()
        self._clock, self._offset = clock, 0.0
        self._tokens: dict[str, tuple[float, ServiceAccount]] = {}
        self._faults: defaultdict[str, deque[FaultKind]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.switches = switches or ServiceSwitches()

    @property
    def switches(self) -> ServiceSwitches:
        return self._switches

    @switches.setter
    def switches(self, value: ServiceSwitches) -> None:
        self._switches = value
        self._pages, self._refused = 0, False  # counted from here on

    def now(self) -> float:
        return self._clock() + self._offset

    def pass_time(self, seconds: float) -> None:
        """Let `seconds` go by, for tokens."""
        self._offset += seconds

    def log_in(self, username: object, password: object) -> str | None:
        """A new token, or None when name and password don't fit."""
        account = self.accounts.get(str(username))
        if account is None or account.password != password:
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = (self.now() + self.switches.token_ttl_s, account)
        return token

    def holder(self, token: str) -> ServiceAccount | None:
        """Whose token it is, while it is good."""
        with self._lock:
            end, account = self._tokens.get(token, (0.0, None))
            return account if end > self.now() else None

    def refuse_tokens(self) -> None:
        """All tokens given so far are worthless from now on."""
        with self._lock:
            self._tokens.clear()

    def begin_page(self) -> bool:
        """Count a page that is asked for with a good token; False when its token is refused half-way."""
        limit = self.switches.refuse_after_pages
        if limit and self._pages >= limit and not self._refused:
            self._refused = True
            self.refuse_tokens()
            return False
        self._pages += 1
        return True

    def fail_next(self, endpoint: str, kind: FaultKind | str, times: int = 1) -> None:
        """Order a failure for the next `times` calls of `endpoint` ("*": of any)."""
        with self._lock:
            self._faults[endpoint].extend([FaultKind(kind)] * times)

    def take_fault(self, endpoint: str) -> FaultKind | None:
        with self._lock:
            for name in (endpoint, "*"):
                if self._faults[name]:
                    return self._faults[name].popleft()
        return None

    def note(self, endpoint: str, status: int) -> None:
        with self._lock:
            self.counts[endpoint] += 1
            self.calls.append((endpoint, status))

    def reset(self) -> None:
        """Forget tokens, calls, faults and switches."""
        with self._lock:
            self._tokens.clear()
            self._faults.clear()
            self.calls.clear()
            self.counts.clear()
        self.switches = ServiceSwitches()
