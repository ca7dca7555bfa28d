"""The `igate` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from lienthong.connections import Connection
from lienthong.landing import BatchWriter, LandedBatch, Watermark
from lienthong.model.capabilities import Capability
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract
from lienthong.sources.profile import Progress, Proposal, SourceSight, UnmappedCode, Window, no_progress
from lienthong.sources.system import System
from lienthong.sources.systems.igate import canonical, extract, findings, look, propose
from lienthong.sources.systems.igate.mapping import ENTITY_TABLES, OWNERS

if TYPE_CHECKING:
    import pyarrow as pa


class Igate:
    """See `sources.system`."""

    @property
    def entity_tables(self) -> Mapping[str, str]:
        return {entity.value: table for entity, table in ENTITY_TABLES.items()}

    @property
    def owners(self) -> Mapping[str, str]:
        return OWNERS

    def check_schema(self, contract: SourceContract, connection: Connection) -> Mapping[str, tuple[str, ...]]:
        return look.check_schema(contract, connection)

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
        return extract.extract(contract, connection, writer, watermarks, mode, window, progress, earlier)

    def look(self, contract: SourceContract, connection: Connection, now: Callable[[], datetime]) -> SourceSight:
        return look.look(contract, connection, now)

    def sample(self, contract: SourceContract, connection: Connection, writer: BatchWriter, dossiers: int) -> str:
        return look.sample(contract, connection, writer, dossiers)

    def propose(self, contract: SourceContract, connection: Connection) -> Proposal:
        return propose.propose(contract, connection)

    def canonicalise(self, contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[str, pa.Table]]:
        return canonical.canonicalise(contract, batch)

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return findings.capabilities(contract)

    def listed(self, batch: LandedBatch) -> list[str]:
        return findings.gone_keys(batch)

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        return findings.unmapped_codes(contract, batch)


PROFILE: System = Igate()
