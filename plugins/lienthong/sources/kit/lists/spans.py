"""Services that answer for a span of days, by the day on which a record came in, and can't be asked what changed.

Every span is read whole: one that holds more rows than the service returned is asked for in halves, down to a day. What
changes in an old record shows when its days are asked for again: the contract's overlap says how far back each load
goes, a full load begins at `read.since`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from lienthong.model.errors import ContractError
from lienthong.sources.kit.http import GarbledError, HttpSession, Piece, Request, read_windows
from lienthong.sources.kit.lists.dates import instant_of
from lienthong.sources.kit.lists.system import Ask, ListSystem, Look, Page, RecordList
from lienthong.sources.kit.lists.walk import SPOOL, Round, spooled_row

if TYPE_CHECKING:
    from lienthong.landing import Checkpoint
    from lienthong.sources.contract import SourceContract

DAY = timedelta(days=1)
#: Spans are written down together: what a killed read has to ask for again.
SPANS_PER_PIECE = 5
#: Spans that a look goes back for rows.
_LOOKED_BACK = 40


@dataclass(frozen=True)
class Span:
    """Days, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%d} to {self.last:%Y-%m-%d}"


class SpanSystem(ListSystem):
    """A vendor's system of this sort. `span_days`: days that are asked for at once."""

    span_days: ClassVar[int] = 31

    @abstractmethod
    def request(self, span: Span, http: HttpSession) -> Request:
        """The question for the rows of a span."""

    def most_rows(self, contract: SourceContract) -> int | None:
        """As many rows as an answer ever holds; None where the service counts them."""
        return None

    def parameters(self, ask: Ask, contract: SourceContract) -> dict[str, str]:
        """There are no pages."""
        return {}

    def rows_of(self, http: HttpSession, of: RecordList, span: Span) -> Page:
        """The rows of a span, tried again while that may help. SlowAnswerError for a span that may be halved."""
        longer = span.last > span.first
        return http.ask(self.request(span, http), f"{of.entity}, {span}", self.page, shrinkable=longer)

    def walk(
        self, http: Any, of: RecordList, checkpoint: Checkpoint, since: datetime | None, until: datetime | None,
        look: Look, state: Round,
    ) -> Iterator[Round]:  # fmt: skip
        """The oldest span first. SourceAnswerError for a day that holds more rows than the service returns."""
        waiting: list[dict[str, Any]] = []
        spans = list(self._spans(http, since, until))
        for number in range(state.page - 1, len(spans)):
            for page in self._whole(http, of, spans[number]):
                state.rows += len(page.rows)
                for row in page.rows:
                    look(of.entity, row)
                    waiting.append(spooled_row(of, row, 1))
            state.page = number + 2
            state.done = state.page > len(spans)
            if state.done or number % SPANS_PER_PIECE == SPANS_PER_PIECE - 1:
                if waiting:
                    checkpoint.add(of.entity, pa.Table.from_pylist(waiting, SPOOL))
                    waiting = []
                yield state
            http.sleep(http.contract.read.pause_ms / 1000)

    def newest(self, http: Any, of: RecordList, size: int) -> tuple[Page, list[dict[str, Any]]] | None:
        """Rows of the last spans that have any."""
        rows: list[dict[str, Any]] = []
        for span in reversed(list(self._spans(http, None, None))[-_LOOKED_BACK:]):
            found = [row for page in self._whole(http, of, span) for row in page.rows]
            rows += sorted(found, key=lambda row: _day_of(row, of, http.contract), reverse=True)
            if len(rows) >= size:
                break
        return Page(tuple(rows), None), rows[:size]

    def _spans(self, http: HttpSession, since: datetime | None, until: datetime | None) -> Iterator[Span]:
        zone, contract = http.contract.zone, http.contract
        if since is None and contract.read.since is None:
            raise ContractError(
                "This system answers for spans of days only, and the contract does not say where they begin.",
                source=contract.source_id,
                load=http.load,
                next_step="set read.since to the day of its first dossier, e.g. since: '2024-01-01'.",
            )
        first = since.astimezone(zone).date() if since else contract.read.since
        first = max(first, contract.read.since or first) if first else date.min
        now = max(http.clock or datetime.now(UTC), datetime.now(UTC))
        last = (until - timedelta(microseconds=1) if until else now + DAY).astimezone(zone).date()
        while first <= last:
            end = min(first + (self.span_days - 1) * DAY, last)
            yield Span(first, end)
            first = end + DAY

    def _whole(self, http: HttpSession, of: RecordList, span: Span) -> Iterator[Page]:
        def fetch(start: datetime, end: datetime) -> Piece:
            page = self.rows_of(http, of, Span(start.date(), end.date() - DAY))
            return Piece((), page.rows, page.total)

        start, end = (datetime.combine(day, time(), UTC) for day in (span.first, span.last + DAY))
        most = self.most_rows(http.contract)
        try:
            for piece in read_windows(fetch, start, end, end - start, most_rows=most, smallest=DAY):
                yield Page(piece.rows, piece.total)
        except GarbledError as garbled:
            raise http.answer_error(
                f"The service leaves rows out: {garbled}.",
                of.entity,
                "ask the system's operator to return more rows per answer; nothing was loaded, as dossiers would be "
                "missing unseen.",
            ) from None


def _day_of(row: dict[str, Any], of: RecordList, contract: SourceContract) -> datetime:
    found = instant_of(spooled_row(of, row, 1)["at"], contract.zone)
    return found or datetime.min.replace(tzinfo=UTC)
