"""Lists that are dropped as XLSX or CSV: the newest file of the folder is the whole list as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa

from lienthong.model.errors import SourceAnswerError
from lienthong.sources.kit.files import DroppedFile, Folder
from lienthong.sources.kit.formats.garbled import GarbledError
from lienthong.sources.kit.formats.sheets import Sheet, read_sheet
from lienthong.sources.kit.http import Credential, NoCredential
from lienthong.sources.kit.lists import Ask, Codes, ListSystem, Page, RecordList
from lienthong.sources.kit.lists.walk import SPOOL, Round, spooled_row
from lienthong.sources.systems import dossiers
from lienthong.sources.systems.sheet.template import COLUMNS, LABELS, SHEET

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.landing import Checkpoint
    from lienthong.model.capabilities import Capability
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns
    from lienthong.sources.kit.lists.system import Look

_KINDS = ("*.xlsx", "*.csv")


class DroppedList:
    """The folder of a unit, and the list in its newest file."""

    def __init__(self, contract: SourceContract, connection: Connection, load: int | None) -> None:
        self.contract, self.load = contract, load
        self.clock: datetime | None = None
        self.clock_ahead: timedelta | None = None
        self._folder = Folder(contract, connection, load)
        self._place = connection.conn_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def sheet(self) -> Sheet:
        """SourceAnswerError, with what to do, for a file that can't be used, and when there is none."""
        file = self._newest()
        if file is None:
            raise self._unusable("There is no list in the folder", self._place, "drop the filled-in template there")
        still, _ = self._folder.settled([file])
        if not still:
            what = "The newest file is empty" if not file.size else "The newest file is still being written"
            raise self._unusable(what, file.shown, "run the load again when it is complete")
        content = self._folder.read(file)
        try:
            return read_sheet(content, LABELS, name=SHEET if content.startswith(b"PK") else "")
        except GarbledError as garbled:
            next_step = "have the unit drop a whole list in the template's form (`lienthong source template`)"
            raise self._unusable(f"The newest file can't be used: {garbled}", file.shown, next_step) from None

    def _newest(self) -> DroppedFile | None:
        never = datetime.min.replace(tzinfo=UTC)
        files = self._folder.files(_KINDS)
        return max(files, key=lambda file: (file.modified_at or never, file.name), default=None)

    def _unusable(self, what: str, key: str, next_step: str) -> SourceAnswerError:
        said = f"{what}. What was loaded before stays as it is."
        return SourceAnswerError(
            said, source=self.contract.source_id, load=self.load, key=key, next_step=f"{next_step}."
        )


class DroppedSheet(ListSystem):
    """See `template.COLUMNS`. Each load reads the whole list; what it lacks is noticed by a full load."""

    server: ClassVar[str] = "thư mục nhận danh sách hồ sơ"
    lists: ClassVar = (RecordList("dossier", "", key="dossier_code", dated="received_at"),)
    structural: ClassVar = tuple(column.field for column in COLUMNS if column.needed)
    fields: ClassVar = {"dossier": {column.field: column.field for column in COLUMNS}}

    def session(self, contract: SourceContract, connection: Connection, load: int | None = None) -> DroppedList:
        return DroppedList(contract, connection, load)

    def address(self, connection: Connection) -> str:
        return str(connection.extra.get("url", ""))

    def walk(
        self, http: Any, of: RecordList, checkpoint: Checkpoint, since: datetime | None, until: datetime | None,
        look: Look, state: Round,
    ) -> Iterator[Round]:  # fmt: skip
        sheet = http.sheet()
        for row in sheet.rows:
            look(of.entity, row)
        if sheet.unknown:
            look(of.entity, dict.fromkeys(sheet.unknown))
        if sheet.rows:
            rows = [spooled_row(of, row, 1) for row in sheet.rows]
            checkpoint.add(of.entity, pa.Table.from_pylist(rows, SPOOL))
        state.rows, state.done = len(sheet.rows), True
        yield state

    def newest(self, http: Any, of: RecordList, size: int) -> tuple[Page, list[dict[str, Any]]]:
        rows: list[dict[str, Any]] = [dict(row) for row in reversed(http.sheet().rows)]
        return Page(tuple(rows), len(rows)), rows[:size]

    def credential(self, connection: Connection) -> Credential:
        return NoCredential()

    def parameters(self, ask: Ask, contract: SourceContract) -> dict[str, str]:
        return {}

    def page(self, body: Any) -> Page:
        return Page((), None)

    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        dossiers.fill(columns, contract)
        dossiers.only_from_reception(columns)
        dossiers.until_the_days_end(columns, "due_at")

    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        return dossiers.codes_of(contract)

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return dossiers.capabilities(contract, self.fields)
