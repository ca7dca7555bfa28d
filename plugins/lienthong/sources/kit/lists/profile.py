"""A list system as `sources.profiles` hands it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import pyarrow as pa

from lienthong.connections import Connection
from lienthong.landing import BatchWriter, LandedBatch, Watermark
from lienthong.model.capabilities import Capability
from lienthong.model.codes import LoadMode
from lienthong.model.kinds import ENTITIES
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.lists import extract, looking
from lienthong.sources.kit.lists.audit import paths_of
from lienthong.sources.kit.lists.columns import Columns
from lienthong.sources.kit.lists.system import ListSystem
from lienthong.sources.profile import Progress, SourceSight, UnmappedCode, Window, no_progress, unmapped

#: Items are long: so many are decoded at a time.
ROWS = 4_096


class ListProfile:
    """See `sources.profile.Profile`. One landed table per entity, under its name."""

    def __init__(self, system: ListSystem) -> None:
        self.system = system
        self._owners = {of.entity: "owner" if of.owner else "key" for of in system.lists}
        self._owners |= {name: "owner" for of in system.lists for name in of.inside}

    @property
    def entity_tables(self) -> Mapping[str, str]:
        return {entity: entity for entity in self.system.fields}

    @property
    def owners(self) -> Mapping[str, str]:
        return self._owners

    def check_schema(self, contract: SourceContract, connection: Connection) -> Mapping[str, tuple[str, ...]]:
        return looking.check_schema(self.system, contract, connection)

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
        return extract.extract(self.system, contract, connection, writer, watermarks, mode, window, progress)

    def look(self, contract: SourceContract, connection: Connection, now: Callable[[], datetime]) -> SourceSight:
        return looking.look(self.system, contract, connection, now)

    def sample(self, contract: SourceContract, connection: Connection, writer: BatchWriter, records: int) -> str:
        return looking.sample(self.system, contract, connection, writer, records)

    def canonicalise(self, contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[str, pa.Table]]:
        """Children first: a record's text was not in NFC if theirs was not."""
        root = contract.kind.root.entity
        not_nfc: set[str] = set()
        for entity in (*(name for name in self.system.fields if name != root), root):
            if entity not in batch.manifest.tables or entity not in contract.section.entities:
                continue
            for part, places, raw in batch.batches(entity, rows=ROWS):
                columns = self._columns(contract, entity, raw)
                columns.take()
                self.system.fill(entity, columns, contract)
                chunk = columns.chunk
                owners = chunk.column(self._owners[entity])
                if entity == root:
                    chunk.put("was_not_nfc", chunk.not_nfc | owners.is_in(list(not_nfc)).fill_null(False))
                elif chunk.not_nfc.any():
                    not_nfc.update(owners.filter(chunk.not_nfc).drop_nulls().to_list())
                keys = ("key",) if entity == root else ("owner", "key")
                yield entity, chunk.table(columns.spec, contract.source_id, part, places, keys)

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return self.system.capabilities(contract)

    def listed(self, batch: LandedBatch) -> list[str]:
        return []

    def services(self, contract: SourceContract, batch: LandedBatch) -> pa.Table:
        columns = {"agency_code": pa.string(), "procedure_code": pa.string(), "online_level": pa.int16()}
        return pa.table({name: pa.array([], kind) for name, kind in columns.items()})

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        """Words without a code. Empty words are the gate's business, not the contract's."""
        counts: Counter[tuple[str, str]] = Counter()
        for entity, lists in self.system.codes(contract).items():
            if entity not in batch.manifest.tables or entity not in contract.section.entities:
                continue
            for _, _, raw in batch.batches(entity, rows=ROWS):
                columns = self._columns(contract, entity, raw)
                for name, field, codes in lists:
                    for said in columns.text(field).drop_nulls().to_list():
                        if said and said not in codes:
                            counts[name, said] += 1
        return unmapped(counts)

    def _columns(self, contract: SourceContract, entity: str, raw: pa.RecordBatch) -> Columns:
        paths = paths_of(self.system, contract, entity)
        return Columns(ENTITIES[entity], paths, raw, contract.time_zone)
