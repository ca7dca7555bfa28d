"""OpenCPS' dossiers, as `sources.profiles` hands the system out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lienthong.connections import Connection
from lienthong.landing import LandedBatch
from lienthong.model.capabilities import Capability
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql import SqlSystem
from lienthong.sources.kit.sql.database import SourceDatabase
from lienthong.sources.kit.sql.schema import FoundSchema
from lienthong.sources.profile import Proposal, UnmappedCode
from lienthong.sources.system import System
from lienthong.sources.systems.opencps import canonical, findings, propose
from lienthong.sources.systems.opencps.tables import MAP

if TYPE_CHECKING:
    import pyarrow as pa


class OpenCps(SqlSystem):
    """See `sources.system`."""

    declared = MAP

    def remarks(self, source: SourceDatabase, contract: SourceContract, found: FoundSchema) -> tuple[str, ...]:
        return findings.remarks(source, contract, found)

    def propose(self, contract: SourceContract, connection: Connection) -> Proposal:
        return propose.propose(contract, connection, self.sample)

    def canonicalise(self, contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[str, pa.Table]]:
        return canonical.canonicalise(contract, batch)

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return findings.capabilities(contract)

    def services(self, contract: SourceContract, batch: LandedBatch) -> pa.Table:
        return findings.services(contract, batch)

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        return findings.unmapped_codes(contract, batch)


PROFILE: System = OpenCps()
