"""What a vendor's system says about itself so that it can be read: how to log in, which lists, what is in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from lienthong.model.capabilities import Capability
from lienthong.model.errors import ContractError
from lienthong.sources.kit.http import Credential, Exchange, GarbledError, HttpSession, Outcome, Request

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.landing import Checkpoint
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns
    from lienthong.sources.kit.lists.walk import Round

#: (list of codes in the contract, our field with the word, words that have a code).
Codes = tuple[str, str, Mapping[str, object]]


@dataclass(frozen=True)
class Ask:
    """One page to ask for, counted from 1, of records dated in [since, until); None: of any, also undated ones."""

    number: int
    size: int
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    """Rows of one answer. `total`: rows of the whole list; None where the service doesn't count."""

    rows: tuple[dict[str, Any], ...]
    total: int | None


@dataclass(frozen=True)
class Inside:
    """Rows inside a record: the path of their list, and of the key of each; without one, its place is its key."""

    path: str
    key: str | None = None


@dataclass(frozen=True)
class RecordList:
    """One list. `entity`: what its rows are. `path`: where it is, unless the connection's extra has another
    `<entity>_endpoint`. `key`: path of a row's key. `owner`: path of the key of the record that a row belongs to, in a
    list of children. `dated`: path of the instant by which records are asked for. `inside`: entity of rows that lie
    inside.
    """

    entity: str
    path: str
    key: str
    dated: str | None = None
    owner: str | None = None
    inside: Mapping[str, Inside] = field(default_factory=dict)


#: Shown every row that is read, with the name of its entity.
Look = Callable[[str, dict[str, Any]], None]


class Reading(Protocol):
    """What a source is read through: an HTTP session, or a folder. `clock`: the source's own, None if it has none."""

    contract: SourceContract
    clock: datetime | None
    clock_ahead: timedelta | None

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ListSystem(ABC):
    """One vendor's system. Holds no state.

    `server`: what to call it. `lists`: children's lists before the records', so that no child is newer than its record.
    `fields`: entity → our field → path in a row; a contract's `fields` replace them. `known`: entity → paths that are
    known and not read. `structural`: top keys without which no record can be understood. `needs`: what a connection
    must have besides a host.
    """

    server: ClassVar[str]
    lists: ClassVar[tuple[RecordList, ...]]
    fields: ClassVar[Mapping[str, Mapping[str, str]]]
    known: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    structural: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ("login", "password")

    @abstractmethod
    def credential(self, connection: Connection) -> Credential:
        """What lets a request in."""

    @abstractmethod
    def parameters(self, ask: Ask, contract: SourceContract) -> dict[str, str]:
        """The query of a page."""

    @abstractmethod
    def page(self, body: Any) -> Page:
        """The page in an answer. GarbledError when it is none."""

    def verdict(self, body: Any) -> Exchange | None:
        """What a well-formed answer complains about; None when it doesn't."""
        return None

    def judge(self, body: Any, credential: Credential) -> Exchange | None:
        """As `verdict`, for a system whose complaints also tell something about the session."""
        return self.verdict(body)

    @abstractmethod
    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        """Set the canonical fields that are more than a value at a path."""

    @abstractmethod
    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        """Entity → its words that need a code."""

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        """What it can tell beyond the records' own course."""
        return frozenset()

    def address(self, connection: Connection) -> str:
        """Which system a connection leads to: what was read of another one is not read on."""
        return connection.http_url()

    def walk(
        self, http: Any, of: RecordList, checkpoint: Checkpoint, since: datetime | None, until: datetime | None,
        look: Look, state: Round,
    ) -> Iterator[Round]:  # fmt: skip
        """Read a list into the checkpoint, page by page; what is yielded may be saved with it."""
        from lienthong.sources.kit.lists.walk import Walk

        return Walk(self, http, of, checkpoint, since, until, look, state).steps()

    def newest(self, http: Any, of: RecordList, size: int) -> tuple[Page, list[dict[str, Any]]] | None:
        """A piece of the list and about `size` of its newest rows, newest first; None: its first and last page tell."""
        return None

    def session(self, contract: SourceContract, connection: Connection, load: int | None = None) -> Reading:
        """A session with the system. ContractError when the connection lacks something."""
        missing = [name for name in ("host", *self.needs) if not getattr(connection, name)]
        if missing:
            raise ContractError(
                f"Connection {connection.conn_id!r} lacks {', '.join(missing)}.",
                next_step="complete the connection (docs/sources.md).",
                source=contract.source_id,
                load=load,
                key=connection.conn_id,
            )
        credential = self.credential(connection)
        return HttpSession(
            contract, connection, load, credential=credential, verdict=lambda body: self.judge(body, credential)
        )

    def ask(self, http: HttpSession, of: RecordList, ask: Ask) -> Page:
        """One page of a list, tried again while that may help."""
        path = str(http.connection.extra.get(f"{of.entity}_endpoint") or of.path)
        request = Request("GET", path, self.parameters(ask, http.contract))
        return http.ask(request, f"{of.entity}, page {ask.number} of {ask.size}", self.page)


def page_of(rows: Any, total: Any) -> Page:
    """A page of what should be a list of objects, and a count. GarbledError."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise GarbledError("no page of records")
    return Page(tuple(rows), total if isinstance(total, int) and not isinstance(total, bool) else None)


def complaint(code: object, outcomes: Callable[[object], Outcome | None] = lambda code: None) -> Exchange:
    """A service's own complaint, by its code; without a known outcome it may pass. Words may quote what we sent: they
    are left out.
    """
    shown = code if isinstance(code, int) or (isinstance(code, str) and code.isascii() and len(code) <= 24) else "?"
    return Exchange(outcomes(code) or Outcome.RETRY, f"the service's own code {shown}")
