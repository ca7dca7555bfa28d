"""What a source system can be asked: small protocols, of which each system implements those that it can.

A load takes a `System`: it is described, read and mapped. To be looked at, sampled or proposed a contract for, to tell
of services or of records that could not be read: each is a protocol of its own. What a system lacks is told in words.
Implementations hold no state: two may run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lienthong.model.codes import LoadMode
from lienthong.sources.profile import Progress, Proposal, SourceSight, UnmappedCode, Window, no_progress

if TYPE_CHECKING:
    import pyarrow as pa

    from lienthong.connections import Connection
    from lienthong.landing import BatchWriter, LandedBatch, Watermark
    from lienthong.model.capabilities import Capability
    from lienthong.sources.contract import SourceContract


class Describe(Protocol):
    """What a system has.

    `entity_tables`: the landed table that each entity's rows come from, one canonical row per landed row. `owners`: the
    column of each of those tables that names the row's record, as source_key does. What is made of a record's rows
    rests on them, the contract and the batch's code tables alone, never on the rows of another record.
    """

    @property
    def entity_tables(self) -> Mapping[str, str]: ...

    @property
    def owners(self) -> Mapping[str, str]: ...

    def check_schema(self, contract: SourceContract, connection: Connection) -> Mapping[str, tuple[str, ...]]:
        """Columns by table that nobody maps or ignores. SchemaDriftError when something that is mapped is missing."""

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        """What a source of this kind can tell under this contract. What it can't has no data, which is not 0."""


class Read(Protocol):
    """How a system is read."""

    def extract(
        self,
        contract: SourceContract,
        connection: Connection,
        writer: BatchWriter,
        watermarks: Mapping[str, Watermark],
        mode: LoadMode,
        window: Window | None = None,
        progress: Progress = no_progress,
        earlier: LandedBatch | None = None,
    ) -> str:
        """Read the source into `writer` and commit it; returns the manifest's URL.

        `earlier`: the newest batch of the source that was merged; what it holds of records that have not changed since
        need not be asked for again.
        SourceUnreachableError, SourceAccessError, SchemaDriftError or CollapsedExtractError; then nothing is landed.
        """


class Map(Protocol):
    """What landed rows mean."""

    def canonicalise(self, contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[str, pa.Table]]:
        """Canonical rows by entity of the contract's kind, in bounded pieces; children come before roots.

        Columns: source_id, source_key, child_key (children only), landing_part (int32), landing_row (int64),
        type_errors (list of field names that could not be typed, null when none), then the fields of the entity's spec
        (`chunk.canonical_schema`).
        """

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        """Words in the batch without a code, most frequent first within each list of codes."""


class System(Describe, Read, Map, Protocol):
    """What every load needs."""


@runtime_checkable
class Look(Protocol):
    """A system that can be looked at before it is read."""

    def look(self, contract: SourceContract, connection: Connection, now: Callable[[], datetime]) -> SourceSight:
        """Connection, permissions, clock and volumes, gently: no table is read through. Errors as `extract` raises.

        `now` is our clock, asked right before and after the source's own.
        """


@runtime_checkable
class Sample(Protocol):
    """A system whose newest records can be read alone."""

    def sample(self, contract: SourceContract, connection: Connection, writer: BatchWriter, records: int, /) -> str:
        """Read the newest `records` records, whole, into `writer` and commit it (mode range, no watermarks); returns
        the manifest's URL. Errors as `extract` raises."""


@runtime_checkable
class Propose(Protocol):
    """A system whose first contract can be written from what it shows."""

    def propose(self, contract: SourceContract, connection: Connection) -> Proposal:
        """What a contract for this source should say. `contract` is a draft: only its names, tenant, connection and
        time zone mean anything, its codes are empty. Errors as `extract` raises; SchemaDriftError when the source
        lacks what every system of this kind has."""


@runtime_checkable
class Lists(Protocol):
    """A system whose list shows records that may not be readable one by one."""

    def listed(self, batch: LandedBatch) -> list[str]:
        """Keys of records that the source shows although they could not be read and are not in the batch's rows."""


@runtime_checkable
class Services(Protocol):
    """A system that knows which agency offers which procedure online."""

    def services(self, contract: SourceContract, batch: LandedBatch) -> pa.Table:
        """agency_code, procedure_code, online_level (2 information, 3 partly, 4 fully online); one row per pair."""


def listed_by(system: System, batch: LandedBatch) -> list[str]:
    """See `Lists`; none of a system that reads all that it lists."""
    return system.listed(batch) if isinstance(system, Lists) else []


def services_told(system: System, contract: SourceContract, batch: LandedBatch) -> list[dict[str, Any]]:
    """See `Services`; none of a system that knows of none."""
    return system.services(contract, batch).to_pylist() if isinstance(system, Services) else []
