"""Walking over a list whose rows move while it is read, in rounds, until a round can be trusted. Resumable by page.

A page number says nothing about which rows stand there. So a round counts only if the service counted the same all
along, all rows it counts were shown, and none came twice (or the same ones as in the round before: then the list itself
holds them twice). In a list that never stands still, rounds end when one brings nothing new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from lienthong.landing import Checkpoint
from lienthong.sources.kit.formats.json_paths import dump, find, word
from lienthong.sources.kit.http import HttpSession
from lienthong.sources.kit.lists.system import Ask, ListSystem, Page, RecordList

#: Rows are written down after so many pages: what a killed read has to ask for again.
PAGES_PER_PIECE = 5
#: Rounds until a list that contradicts itself is given up.
MOST_ROUNDS = 6

#: `at`: the row's own date as text; `round`: in which round it was read.
_SPOOLED: list[tuple[str, pa.DataType]] = [
    ("key", pa.string()),
    ("owner", pa.string()),
    ("at", pa.string()),
    ("item", pa.string()),
    ("round", pa.int32()),
]
SPOOL = pa.schema(_SPOOLED)


@dataclass
class Round:
    """One round over one list, as far as it got. `counted`: what the service counted first; `moved`: and then else."""

    number: int = 1
    page: int = 1
    rows: int = 0
    counted: int | None = None
    moved: bool = False
    done: bool = False


@dataclass
class Walk:
    """Reads one list into the checkpoint, under the list's name. `look` is shown every row."""

    system: ListSystem
    http: HttpSession
    of: RecordList
    checkpoint: Checkpoint
    since: datetime | None
    until: datetime | None
    look: Callable[[str, dict[str, Any]], None]
    state: Round = field(default_factory=Round)
    _waiting: list[dict[str, Any]] = field(default_factory=list)

    def steps(self) -> Iterator[Round]:
        """Read on; what is yielded may be saved with the checkpoint. Ends when the list is read.

        SourceAnswerError when the list contradicts itself to the end.
        """
        size = self.http.contract.read.page_rows
        keys = self._keys_of(self.state.number)
        repeats_before = self._repeats(self._keys_of(self.state.number - 1))
        while not self.state.done:
            page = self.system.ask(self.http, self.of, Ask(self.state.page, size, self.since, self.until))
            self._take(page, keys)
            size = min(size, len(page.rows)) if self.state.page == 1 and page.rows else size
            if self._more(page, size):
                self.state.page += 1
                if self.state.page % PAGES_PER_PIECE == 0:
                    self._write()
                    yield self.state
                self.http.sleep(self.http.contract.read.pause_ms / 1000)
                continue
            self._write()
            repeats = self._repeats(keys)
            self.state.done = self._trusted(keys, repeats, repeats_before)
            if not self.state.done:
                self._next_round()
                keys, repeats_before = Counter(), repeats
            yield self.state

    def _more(self, page: Page, size: int) -> bool:
        """Whether another page may hold rows."""
        if not page.rows:
            return False
        return self.state.rows < page.total if page.total is not None else len(page.rows) >= size

    def _take(self, page: Page, keys: Counter[str]) -> None:
        state = self.state
        if page.total is not None:
            state.moved = state.moved or state.counted not in (None, page.total)
            state.counted = page.total if state.counted is None else state.counted
        for row in page.rows:
            self.look(self.of.entity, row)
            spooled = spooled_row(self.of, row, state.number)
            keys[spooled["key"] or ""] += 1
            self._waiting.append(spooled)
        state.rows += len(page.rows)

    def _trusted(self, keys: Counter[str], repeats: set[str], before: set[str]) -> bool:
        """Whether the reading of the list may end with this round."""
        state = self.state
        whole = state.counted is None or state.rows == state.counted
        if whole and not state.moved and (not repeats or repeats == before):
            return True
        if state.number > 1 and (state.moved or repeats) and state.rows >= (state.counted or 0):
            return keys.keys() <= self._keys_before(state.number).keys()
        return False

    def _next_round(self) -> None:
        if self.state.number >= MOST_ROUNDS:
            counted, shown = self.state.counted, self.state.rows
            raise self.http.answer_error(
                f"The list contradicts itself, {MOST_ROUNDS} times in a row: it counts {counted} rows, shows {shown}.",
                self.of.entity,
            )
        self.state = Round(number=self.state.number + 1)

    def _write(self) -> None:
        if self._waiting:
            self.checkpoint.add(self.of.entity, pa.Table.from_pylist(self._waiting, SPOOL))
            self._waiting = []

    def _keys_of(self, number: int) -> Counter[str]:
        return self._keys(lambda found: found == number)

    def _keys_before(self, number: int) -> Counter[str]:
        return self._keys(lambda found: found < number)

    def _keys(self, wanted: Callable[[int], bool]) -> Counter[str]:
        found: Counter[str] = Counter()
        for piece in self.checkpoint.read(self.of.entity, ["key", "round"]):
            for key, number in zip(piece["key"].to_pylist(), piece["round"].to_pylist(), strict=True):
                if number is not None and wanted(number):
                    found[key or ""] += 1
        return found

    @staticmethod
    def _repeats(keys: Counter[str]) -> set[str]:
        """Keys that came more than once. Rows without a key can't be told apart: they don't count."""
        return {key for key, rows in keys.items() if rows > 1 and key}


def spooled_row(of: RecordList, row: dict[str, Any], number: int) -> dict[str, Any]:
    """A row as it waits in the checkpoint."""

    def at(path: str | None) -> str | None:
        return word(find(row, tuple(path.split(".")))) if path else None

    return {"key": at(of.key), "owner": at(of.owner), "at": at(of.dated), "item": dump(row), "round": number}


def survivors(checkpoint: Checkpoint, entity: str) -> Iterator[pa.Table]:
    """The spooled rows that count: of each key those of the last round that showed it."""
    last: dict[Any, Any] = {}
    for piece in checkpoint.read(entity, ["key", "round"]):
        last.update(zip(piece["key"].to_pylist(), piece["round"].to_pylist(), strict=True))
    for piece in checkpoint.read(entity):
        rounds, keys = piece["round"].to_pylist(), piece["key"].to_pylist()
        yield piece.filter(pa.array([last[key] == number for key, number in zip(keys, rounds, strict=True)]))
