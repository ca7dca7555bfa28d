"""A look at an iGate without reading it through: does it answer, does it say what we map, and what time has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from pydantic_core import from_json

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter
from lienthong.model.codes import LoadMode
from lienthong.model.errors import SchemaDriftError
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.igate.audit import Audit
from lienthong.sources.igate.client import IgateClient
from lienthong.sources.igate.dating import NEVER, Item
from lienthong.sources.igate.land import land
from lienthong.sources.igate.mapping import DOSSIER, FEE, PAPER, TASK, TASKS
from lienthong.sources.igate.notes import notes
from lienthong.sources.igate.pages import Page
from lienthong.sources.igate.papers import Children, children_table
from lienthong.sources.igate.spool import ITEMS, rows_of, survivors
from lienthong.sources.profile import SourceSight, TableSight, no_progress

SERVER = "VNPT iGate 2 (HTTP)"

#: Dossiers looked at, and days told.
_LOOKED_AT, _DAYS = 200, 7
#: Clocks may differ by so much without a word.
TOLERANCE = timedelta(minutes=2)


def look(contract: SourceContract, connection: Connection, now: Callable[[], datetime]) -> SourceSight:
    """See `system.look`. Reads one page, the papers and fees of one dossier, and counts of lists where changes
    are found by them."""
    with IgateClient(contract, connection) as client:
        asked = now()
        page = client.search(0, min(_LOOKED_AT, contract.read.page_rows))
        clock = client.clock
        ahead = clock - asked - (now() - asked) / 2 if clock else None
        audit = audited(contract, page.items)
        children = Children(client, contract, audit)
        papers = children.read([page.items[0].data])[0] if page.items else []
        files = [from_json(str(paper["item"]))["file"] for paper in papers]
        told = tuple(notes(contract, client, page, audit, files, clock or asked))
    local = [item.order.astimezone(contract.zone) for item in page.items if item.order != NEVER]
    days = Counter(moment.date() for moment in local)
    hours = Counter(moment.hour for moment in local)
    return SourceSight(
        server=SERVER,
        clock=clock.astimezone(contract.zone) if clock else None,
        clock_ahead=ahead,
        may_write=None,
        tables=(TableSight(DOSSIER, page.total, max(local).astimezone(UTC) if local else None),),
        unmapped_columns=audit.unknown(),
        remarks=tuple(_remarks(page, ahead, no_papers=bool(children.gone))),
        days=tuple(sorted(days.items(), reverse=True)[:_DAYS]),
        hours=tuple(hours.get(hour, 0) for hour in range(24)),
        notes=told,
    )


def check_schema(contract: SourceContract, connection: Connection) -> Mapping[str, tuple[str, ...]]:
    """See `system.check_schema`: as far as the newest page and its newest dossier tell."""
    sight = look(contract, connection, lambda: datetime.now(UTC))
    if stops := [note for note in sight.notes if note.stops]:
        raise SchemaDriftError(
            f"The source lacks what a load needs: {', '.join(note.topic for note in stops)}.",
            next_step="see what `lienthong source check` says of it, ask the system's operator what changed, or name "
            "the right place under `fields` in the contract.",
            source=contract.source_id,
            key=stops[0].topic,
        )
    return sight.unmapped_columns


def sample(contract: SourceContract, connection: Connection, writer: BatchWriter, dossiers: int) -> str:
    """See `system.sample`. Nothing of it is kept for a later try."""
    with writer, IgateClient(contract, connection) as client:
        began_at = datetime.now(UTC)
        items: dict[str, Item] = {}
        number, size = 0, min(dossiers, contract.read.page_rows)
        while len(items) < dossiers:
            page = client.search(number, size)
            for item in page.items:
                items.setdefault(item.key.dossier_id, item)
            number += 1
            if page.last or not page.items:
                break
            size = page.size
        wanted = list(items.values())[:dossiers]
        audit = audited(contract, wanted)
        children = Children(client, contract, audit)
        papers, fees = children.read([item.data for item in wanted]) if wanted else ([], [])
        children.refuse_too_many_gone(len(wanted))
        checkpoint = writer.checkpoint(digest(["sample", dossiers, began_at.isoformat()]))
        checkpoint.add(ITEMS, rows_of(wanted))
        checkpoint.add(PAPER, children_table(papers))
        checkpoint.add(FEE, children_table(fees))
        land(writer, checkpoint, survivors(checkpoint), set(children.gone), no_progress, dated=client.dating.ordered)
        newest = max((item.order for item in wanted), default=began_at)
        oldest = min((item.order for item in wanted), default=began_at)
        return writer.commit(
            BatchFacts(
                mode=LoadMode.RANGE,
                observed_at=began_at,
                contract_hash=contract.contract_hash,
                codes_hash=digest(contract.dossier.codes.model_dump(mode="json")),
                window_from=oldest,
                window_to=newest + timedelta(microseconds=1),
                unmapped_columns=audit.findings(),
            )
        )


def audited(contract: SourceContract, items: list[Item] | tuple[Item, ...]) -> Audit:
    """An audit that has passed some items of the list and their tasks."""
    audit = Audit(contract)
    for item in items:
        audit.look(DOSSIER, item.data)
        tasks = item.data.get(TASKS)
        for task in tasks if isinstance(tasks, list) else ():
            if isinstance(task, dict):
                audit.look(TASK, task)
    return audit


def _remarks(page: Page, ahead: timedelta | None, no_papers: bool) -> list[str]:
    remarks = ["Không xem được quyền ghi của tài khoản qua HTTP; hãy xin tài khoản chỉ được đọc."]
    if ahead is None:
        remarks.append("Máy chủ không cho biết giờ của nó (không có đầu mục Date).")
    elif abs(ahead) > TOLERANCE:
        minutes = round(abs(ahead).total_seconds() / 60)
        side = "nhanh" if ahead > timedelta() else "chậm"
        remarks.append(
            f"Đồng hồ của máy chủ {side} hơn của chúng ta khoảng {minutes} phút. Mốc đọc lấy theo updatedDate của "
            "nguồn nên không mất hồ sơ, nhưng các mốc thời gian nguồn ghi có thể lệch."
        )
    if page.total is None:
        remarks.append("Danh sách không cho biết tổng số hồ sơ; không thể kiểm tra khi đọc toàn bộ.")
    if no_papers:
        remarks.append(
            "Danh sách có hồ sơ mới nhất nhưng dịch vụ chi tiết (/pa/dossier/{id}/--online) trả lời 404 cho hồ sơ đó: "
            "hãy hỏi đơn vị vận hành về dịch vụ này và quyền của tài khoản."
        )
    return remarks
