"""A look at lists without reading them through: does the system answer, does it say what we map, what time has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter
from lienthong.model.codes import LoadMode
from lienthong.model.errors import SchemaDriftError
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.kit.formats.json_paths import find, word
from lienthong.sources.kit.lists.audit import Audit
from lienthong.sources.kit.lists.dates import instant_of
from lienthong.sources.kit.lists.landed import land
from lienthong.sources.kit.lists.system import Ask, ListSystem, Page, RecordList
from lienthong.sources.kit.lists.walk import SPOOL, spooled_row
from lienthong.sources.profile import SourceSight, TableSight, no_progress

#: Records looked at, and days told.
_LOOKED_AT, _DAYS = 100, 7


def look(
    system: ListSystem, contract: SourceContract, connection: Connection, now: Callable[[], datetime]
) -> SourceSight:
    """See `profile.Profile.look`. Reads the first and the last page of each list."""
    audit = Audit(system, contract)
    root = contract.kind.root.entity
    sights, dates = [], []
    with system.session(contract, connection) as http:
        asked = now()
        for of in system.lists:
            page, rows = _ends(system, http, of, _LOOKED_AT)
            for row in rows:
                audit.look(of.entity, row)
            found = [moment for moment in _dates(rows, of, contract) if moment is not None]
            sights.append(TableSight(of.entity, page.total, max(found) if found else None))
            dates += found if of.entity == root else []
        clock = http.clock
        ahead = clock - asked - (now() - asked) / 2 if clock else None
    local = [moment.astimezone(contract.zone) for moment in dates]
    days, hours = Counter(moment.date() for moment in local), Counter(moment.hour for moment in local)
    return SourceSight(
        server=system.server,
        clock=clock.astimezone(contract.zone) if clock else None,
        clock_ahead=ahead,
        may_write=None,
        tables=tuple(sights),
        unmapped_columns=audit.findings(),
        missing=tuple(f"column {root}.{name}" for name in audit.never_met(root, system.structural)),
        days=tuple(sorted(days.items(), reverse=True)[:_DAYS]),
        hours=tuple(hours.get(hour, 0) for hour in range(24)),
    )


def check_schema(
    system: ListSystem, contract: SourceContract, connection: Connection
) -> Mapping[str, tuple[str, ...]]:  # fmt: skip
    """See `profile.Profile.check_schema`: as far as the pages looked at tell."""
    sight = look(system, contract, connection, lambda: datetime.now(UTC))
    if sight.missing:
        raise SchemaDriftError(
            f"The source no longer has: {'; '.join(sight.missing)}.",
            next_step="ask the system's operator what changed, or name the right place under `fields` in the contract.",
            source=contract.source_id,
            key=contract.kind.root.entity,
        )
    return sight.unmapped_columns


def sample(
    system: ListSystem, contract: SourceContract, connection: Connection, writer: BatchWriter, records: int
) -> str:  # fmt: skip
    """See `profile.Profile.sample`: records of the newest page; of children's lists those that belong to them."""
    audit = Audit(system, contract)
    root = contract.kind.root.entity
    began_at = datetime.now(UTC)
    with writer, system.session(contract, connection, writer.load_id) as http:
        checkpoint = writer.checkpoint(digest(["sample", contract.contract_hash, records]))
        of_root = next(of for of in system.lists if of.entity == root)
        rows = _ends(system, http, of_root, records)[1][:records]
        days = [moment for moment in _dates(rows, of_root, contract) if moment is not None]
        checkpoint.add(root, _piece(of_root, rows))
        keys = {word(find(row, tuple(of_root.key.split(".")))) for row in rows}
        for of in (of for of in system.lists if of.entity != root):
            children = _children(system, http, of, min(days), keys) if days else []
            checkpoint.add(of.entity, _piece(of, children))
            for row in children:
                audit.look(of.entity, row)
        for row in rows:
            audit.look(root, row)
        land(writer, checkpoint, system, no_progress)
        understood = contract.section.model_dump(mode="json")
        return writer.commit(
            BatchFacts(
                mode=LoadMode.RANGE,
                observed_at=began_at,
                contract_hash=contract.contract_hash,
                codes_hash=digest([understood["codes"], understood["fields"]]),
                window_from=min(days, default=began_at),
                window_to=began_at,
                unmapped_columns=audit.findings(),
                clock_ahead=http.clock_ahead,
            )
        )


def _ends(system: ListSystem, http: Any, of: RecordList, size: int) -> tuple[Page, list[dict[str, Any]]]:
    """The first page, and its rows with those of the last: the newest are at one of the ends. Newest first."""
    if (told := system.newest(http, of, size)) is not None:
        return told
    size = min(size, http.contract.read.page_rows)
    first = system.ask(http, of, Ask(1, size))
    rows = list(first.rows)
    pages = -(-(first.total or 0) // max(len(rows), 1))
    if pages > 1:
        rows += system.ask(http, of, Ask(pages, len(rows))).rows
    if pages > 2:  # the last may hold a row or two
        rows += system.ask(http, of, Ask(pages - 1, len(first.rows))).rows
    never = datetime.min.replace(tzinfo=UTC)
    dated = zip(_dates(rows, of, http.contract), range(len(rows)), strict=True)
    return first, [rows[place] for _, place in sorted(((at or never, place) for at, place in dated), reverse=True)]


def _children(
    system: ListSystem, http: Any, of: RecordList, since: datetime, owners: set[str | None]
) -> list[dict[str, Any]]:
    """Rows of a list of children that belong to some records, all of them dated since then."""
    path = tuple((of.owner or of.key).split("."))
    found: list[dict[str, Any]] = []
    seen, number = 0, 1
    while True:
        page = system.ask(http, of, Ask(number, http.contract.read.page_rows, since))
        found += [row for row in page.rows if word(find(row, path)) in owners]
        seen, number = seen + len(page.rows), number + 1
        if not page.rows or page.total is None or seen >= page.total:
            return found


def _dates(rows: Iterable[dict[str, Any]], of: RecordList, contract: SourceContract) -> Iterator[datetime | None]:
    path = tuple(of.dated.split(".")) if of.dated else ()
    for row in rows:
        yield instant_of(word(find(row, path)), contract.zone) if path else None


def _piece(of: RecordList, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([spooled_row(of, row, 1) for row in rows], SPOOL)
