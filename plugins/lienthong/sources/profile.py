"""What every kind of source system can be asked, be it a database or an HTTP service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from lienthong.model.canonical import Entity
from lienthong.model.codes import LoadMode

if TYPE_CHECKING:
    import pyarrow as pa

    from lienthong.connections import Connection
    from lienthong.landing import BatchWriter, LandedBatch, Watermark
    from lienthong.sources.contract import SourceContract

#: Called after each page with a table and the rows landed of it so far. What it raises stops the extraction.
Progress = Callable[[str, int], None]


def no_progress(table: str, rows: int) -> None:
    """A Progress that tells nobody."""


@dataclass(frozen=True)
class Window:
    """Dossiers modified in [start, end); both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.start >= self.end:
            raise ValueError("a window has two aware instants, the first before the second")


@dataclass(frozen=True)
class UnmappedCode:
    """A word of the source that the contract has no code for. `kind` is a list of codes (status, step, procedure …)."""

    kind: str
    word: str
    rows: int


@dataclass(frozen=True)
class TableSight:
    """One table or resource: estimated rows, and when its newest row was modified (aware). None: not told."""

    name: str
    rows: int | None
    newest_at: datetime | None


@dataclass(frozen=True)
class SourceSight:
    """What a look at a source finds without reading it through.

    `server`: product and version. `clock`: its own time (aware, in the contract's zone) and `clock_ahead` how far that
    is ahead of ours; None where the source doesn't tell. `may_write`: privileges beyond reading that our account has
    (e.g. "INSERT opencps_dossier"). `unmapped_columns`: by table, as `Profile.check_schema` returns them. `remarks`:
    anything else worth a line, in words without data.
    """

    server: str
    clock: datetime | None
    clock_ahead: timedelta | None
    may_write: tuple[str, ...]
    tables: tuple[TableSight, ...]
    unmapped_columns: Mapping[str, tuple[str, ...]]
    remarks: tuple[str, ...] = ()


class Profile(Protocol):
    """One kind of source system. Implementations hold no state: two may run at once.

    `entity_tables`: the landed table that each entity's rows come from, one canonical row per landed row.
    """

    @property
    def entity_tables(self) -> Mapping[Entity, str]: ...

    def check_schema(self, contract: SourceContract, connection: Connection) -> Mapping[str, tuple[str, ...]]:
        """Columns by table that nobody maps or ignores. SchemaDriftError when something that is mapped is missing."""

    def extract(
        self,
        contract: SourceContract,
        connection: Connection,
        writer: BatchWriter,
        watermarks: Mapping[str, Watermark],
        mode: LoadMode,
        window: Window | None = None,
        progress: Progress = no_progress,
    ) -> str:
        """Read the source into `writer` and commit it; returns the manifest's URL.

        SourceUnreachableError, SourceAccessError, SchemaDriftError or CollapsedExtractError; then nothing is landed.
        """

    def look(self, contract: SourceContract, connection: Connection) -> SourceSight:
        """Connection, permissions, clock and volumes, gently: no table is read through. Errors as `extract` raises."""

    def sample(self, contract: SourceContract, connection: Connection, writer: BatchWriter, dossiers: int) -> str:
        """Read the newest `dossiers` dossiers, whole, into `writer` and commit it; returns the manifest's URL."""

    def canonicalise(self, contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[Entity, pa.Table]]:
        """Canonical rows in bounded pieces; children come before dossiers.

        Columns: source_id, source_key, child_key (children only), landing_part (int32), landing_row (int64),
        type_errors (list of field names that could not be typed, null when none), then the fields of the entity's spec.
        """

    def services(self, contract: SourceContract, batch: LandedBatch) -> pa.Table:
        """agency_code, procedure_code, online_level (2 information, 3 partly, 4 fully online); one row per pair."""

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        """Words in the batch without a code, most frequent first within each kind."""
