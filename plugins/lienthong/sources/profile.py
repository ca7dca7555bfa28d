"""What is told of a source: words without a code, what a look finds, what a first contract should say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lienthong.model.masking import mask_word

#: Called after each page with a table and the rows landed of it so far. What it raises stops the extraction.
Progress = Callable[[str, int], None]


def no_progress(table: str, rows: int) -> None:
    """A Progress that tells nobody."""


@dataclass(frozen=True)
class Window:
    """Records modified in [start, end); both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.start >= self.end:
            raise ValueError("a window has two aware instants, the first before the second")


@dataclass(frozen=True)
class UnmappedCode:
    """A word of the source that the contract has no code for. `kind` is a list of codes (status, step, procedure …).

    `word` is masked: people also type names and numbers where a code belongs.
    """

    kind: str
    word: str
    rows: int


def unmapped(found: Mapping[tuple[str, str], int]) -> list[UnmappedCode]:
    """What (kind, word) was met how often, by kind, the most frequent first. Words that are masked alike are one."""
    counts: Counter[tuple[str, str]] = Counter()
    for (kind, word), rows in found.items():
        counts[kind, mask_word(word)] += rows
    order = sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return [UnmappedCode(kind, word, rows) for (kind, word), rows in order]


@dataclass(frozen=True)
class TableSight:
    """One table or resource: estimated rows, and the newest modification found near its end (aware). None: not told.

    `indexed`: whether what changed since an instant is found through an index; None where there is no such thing.
    """

    name: str
    rows: int | None
    newest_at: datetime | None
    indexed: bool | None = None


@dataclass(frozen=True)
class SightNote:
    """One thing that a look tells, in Vietnamese words without data, as one line of a check.

    `topic` is stable for machines. `next_step`: what a person does about it; None where nothing has to be done.
    `stops`: a load fails on it.
    """

    topic: str
    text: str
    next_step: str | None = None
    stops: bool = False


@dataclass(frozen=True)
class SourceSight:
    """What a look at a source finds without reading it through.

    `server`: product and version. `clock`: its own time (aware, in the contract's zone) and `clock_ahead` how far that
    is ahead of ours; None where the source doesn't tell. `may_write`: privileges beyond reading that our account has
    (e.g. "INSERT opencps_dossier"), None where the source doesn't tell. `unmapped_columns`: by table, as
    `Describe.check_schema` returns them. `remarks`: anything else worth a warning, in Vietnamese words without data.
    `missing`: tables and columns that the contract maps and the source lacks ("table a", "column a.b"); `unreadable`:
    tables that our account may not read; a load fails on either. `days`: dossiers by day of the newest days, newest
    first. `hours`: how many of the newest changes fall into each of the 24 hours of the day, in Vietnam's time as the
    contract's zone makes it: office hours tell a wrong zone. `notes`: what only this kind of source has to tell.
    """

    server: str
    clock: datetime | None
    clock_ahead: timedelta | None
    may_write: tuple[str, ...] | None
    tables: tuple[TableSight, ...]
    unmapped_columns: Mapping[str, tuple[str, ...]]
    remarks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    days: tuple[tuple[date, int], ...] = ()
    hours: tuple[int, ...] = ()
    notes: tuple[SightNote, ...] = ()


@dataclass(frozen=True)
class CodeWord:
    """A word found at a source, in how many of the rows looked at, and the code that such systems usually give it.

    `note`: what to say beside it where the code is a proposal only.
    """

    word: str
    rows: int
    code: int | str | None
    note: str = ""


@dataclass(frozen=True)
class JsonKey:
    """A key inside a JSON column, in how many of the rows looked at, and our field that it usually fills."""

    entity: str
    column: str
    key: str
    rows: int
    field: str | None


@dataclass(frozen=True)
class FieldPath:
    """A path in what the source answers, in how many of the rows looked at, and our field that others read there."""

    entity: str
    field: str
    path: str
    rows: int


@dataclass(frozen=True)
class Proposal:
    """What a new contract of this kind should say, from a bounded look at the newest rows.

    `codes`: section of the contract's `codes` → the words found, most frequent first, together with the words that
    every system of this kind has (rows 0 when not seen). `paid`: payment states that mean paid. `absent`: reference
    tables that aren't there; `ignore`: optional columns that aren't there, `unmapped` columns that nobody maps, both
    by table. `looked_at`: dossiers read, at most. `read`: limits of reading for the contract's `read`; `overlap`: as
    the contract writes it. `paths`: what the contract's `fields` should say. `more_codes`: further lists of `codes` as
    YAML values, `more_lines`: further lines of the envelope, for what only this kind of system has.
    """

    entities: tuple[str, ...]
    codes: Mapping[str, tuple[CodeWord, ...]]
    paid: tuple[str, ...]
    keys: tuple[JsonKey, ...]
    absent: tuple[str, ...]
    ignore: Mapping[str, tuple[str, ...]]
    unmapped: Mapping[str, tuple[str, ...]]
    volatile_query: tuple[str, ...]
    looked_at: int
    overlap: str = "2d"
    read: Mapping[str, int] = field(default_factory=dict)
    paths: tuple[FieldPath, ...] = ()
    more_codes: Mapping[str, str] = field(default_factory=dict)
    more_lines: tuple[str, ...] = ()
