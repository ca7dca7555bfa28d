"""A system whose records are read from its database, but for what its rows mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from lienthong.connections import Connection
from lienthong.landing import BatchWriter, LandedBatch, Watermark
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql.database import SourceDatabase, reading
from lienthong.sources.kit.sql.extract import extract
from lienthong.sources.kit.sql.look import look
from lienthong.sources.kit.sql.sample import sample
from lienthong.sources.kit.sql.schema import FoundSchema, bind
from lienthong.sources.kit.sql.tables import SqlMap
from lienthong.sources.profile import Progress, SourceSight, Window, no_progress


class SqlSystem:
    """Describe, Read, Look and Sample of `sources.system`, for a declared map. A vendor's class adds what rows mean."""

    declared: SqlMap

    @property
    def entity_tables(self) -> Mapping[str, str]:
        return {str(entity): table.name for entity, table in self.declared.entities.items()}

    @property
    def owners(self) -> Mapping[str, str]:
        return {table.name: table.owner for table in self.declared.entities.values()}

    def check_schema(self, contract: SourceContract, connection: Connection) -> Mapping[str, tuple[str, ...]]:
        with reading(connection, contract.source_id, timeout_s=contract.read.timeout_s) as source:
            return bind(self.declared, source, contract).unmapped

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
        return extract(self.declared, contract, connection, writer, watermarks, mode, window, progress)

    def look(self, contract: SourceContract, connection: Connection, now: Callable[[], datetime]) -> SourceSight:
        return look(self.declared, contract, connection, now, self.remarks)

    def sample(self, contract: SourceContract, connection: Connection, writer: BatchWriter, records: int) -> str:
        return sample(self.declared, contract, connection, writer, records)

    def remarks(self, source: SourceDatabase, contract: SourceContract, found: FoundSchema) -> tuple[str, ...]:
        """What else a look has to say, in Vietnamese words without data."""
        return ()
