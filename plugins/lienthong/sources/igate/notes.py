"""What a look at an iGate has to tell beside what every source tells: how changes are found, what that costs, what is
not seen, and what this server leaves out. One line each, in Vietnamese.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Any

from lienthong.model.numbers import grouped
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.audit import Audit
from lienthong.sources.igate.client import IgateClient
from lienthong.sources.igate.dating import NEVER, Changes, Dating, Item, moment_of
from lienthong.sources.igate.listings import open_dossiers, recent_from, windows
from lienthong.sources.igate.mapping import DOSSIER, STRUCTURAL, TASKS
from lienthong.sources.igate.pages import Page
from lienthong.sources.profile import SightNote

_NAMES_SHOWN = 5
#: From this share of dossiers on that stand above others which moved later, a list is not sorted by change.
_UNSORTED = 0.8
#: Dossiers that a date must be there for before it is taken for the list's own.
_ENOUGH_DATED = 5
#: Pages overlap: so much of each is new.
_FRESH = 0.93
_DOCS = "xem docs/sources.md, phần iGate."


def notes(
    contract: SourceContract,
    client: IgateClient,
    page: Page,
    audit: Audit,
    files: Sequence[dict[str, Any]],
    now: datetime,
) -> Iterator[SightNote]:
    """Asks the server for a few counts more where changes are found by windows."""
    if not page.items:
        return
    yield from _structure(audit)
    match client.dating.changes:
        case Changes.UPDATED_DATE:
            yield from _by_date(contract, client.dating, page)
        case Changes.NEWEST_TASK:
            yield from _by_step(contract, page)
        case Changes.WINDOWS:
            yield from _by_windows(contract, client, page, now)
    yield from _never_seen(audit)
    yield from _without_address(contract, files)


def own_dates(items: Sequence[Item], dating: Dating) -> list[str]:
    """Paths that may say when a dossier was updated: dates in nearly every item, sorted as the list should be."""
    found: dict[str, list[datetime]] = {}
    for item in items:
        for path, value in _scalars(item.data):
            moment = moment_of(value, dating.zone) if isinstance(value, str) else None
            if moment is not None:
                found.setdefault(path, []).append(moment)
    return [
        path
        for path, moments in found.items()
        if len(moments) >= max(_ENOUGH_DATED, 0.9 * len(items))
        and path not in dating.known
        and len(set(moments)) > 1
        and all(left >= right for left, right in pairwise(moments))
    ]


def other_way(items: Sequence[Item]) -> Changes:
    """How changes can be found where the list does not say when they were made."""
    stepped = sum(bool(item.data.get(TASKS)) for item in items)
    return Changes.NEWEST_TASK if 2 * stepped > len(items) else Changes.WINDOWS


def _structure(audit: Audit) -> Iterator[SightNote]:
    if missing := audit.never_met(DOSSIER, STRUCTURAL):
        yield SightNote(
            "columns",
            f"Không hồ sơ nào trong danh sách có {', '.join(missing)}.",
            "hỏi đơn vị vận hành, hoặc ghi đường dẫn đúng vào `fields` của hợp đồng.",
            stops=True,
        )


def _by_date(contract: SourceContract, dating: Dating, page: Page) -> Iterator[SightNote]:
    if any(item.order == NEVER for item in page.items):
        paths = own_dates(page.items, dating)
        way = other_way(page.items)
        named = f"ghi fields.dossier.source_modified_at: {paths[0]}" if paths else f"đặt http.changes: {way.value}"
        yield SightNote(
            "changes",
            f"Danh sách không cho biết hồ sơ được sửa lúc nào ({dating.path}): chưa đọc được phần mới.",
            f"{named} trong hợp đồng rồi kiểm tra lại; {_DOCS}",
            stops=True,
        )
        return
    yield SightNote("changes", f"Tìm thay đổi theo {dating.path}; {_cost(_pages(contract, page))}.")
    yield SightNote("unseen", "Không thấy khi nạp phần mới: hồ sơ bị xóa hẳn ở nguồn. Nạp toàn bộ (full) mới thấy.")


def _by_step(contract: SourceContract, page: Page) -> Iterator[SightNote]:
    share = out_of_order(page.items)
    if share >= _UNSORTED:
        yield SightNote(
            "changes",
            f"Danh sách có vẻ không xếp theo lần sửa: {share:.0%} hồ sơ đứng trên hồ sơ được xử lý sau chúng.",
            f"đặt http.changes: {Changes.WINDOWS.value}, hoặc hỏi đơn vị vận hành tên trường để xếp (http.sort).",
        )
    yield SightNote(
        "changes",
        f"Tìm thay đổi theo bước xử lý mới nhất ({share:.0%} hồ sơ đứng cao hơn bước đó, do sửa không kèm bước); "
        f"{_cost(_pages(contract, page) + 1)}.",
    )
    yield SightNote(
        "unseen",
        "Có thể không thấy khi nạp phần mới: giấy tờ thay đổi mà hồ sơ không chuyển lên đầu danh sách, hồ sơ nhập lùi "
        "ngày, hồ sơ bị xóa hẳn. Nạp toàn bộ (full) mới thấy.",
        f"giữ lịch `full` trong hợp đồng; {_DOCS}",
    )


def _by_windows(contract: SourceContract, client: IgateClient, page: Page, now: datetime) -> Iterator[SightNote]:
    lists = (*windows(contract, recent_from(contract, now), now), *open_dossiers(contract))
    totals = [client.search(0, 1, listing).total for listing in lists]
    http = contract.http
    if page.total is not None and lists and all(total == page.total for total in totals):
        yield SightNote(
            "changes",
            f"Máy chủ bỏ qua bộ lọc {http.window_by}-from và dossier-status: danh sách nào cũng đủ mọi hồ sơ.",
            f"chọn cách khác cho http.changes hoặc http.window_by; {_DOCS}",
            stops=True,
        )
        return
    rows = sum(total or 0 for total in totals)
    requests = sum(_requests(contract, total or 0) for total in totals)
    yield SightNote(
        "changes",
        f"Tìm thay đổi bằng cách đọc lại {http.window_months} tháng gần nhất và hồ sơ đang giải quyết "
        f"({len(lists)} danh sách, khoảng {grouped(rows)} hồ sơ); {_cost(requests)}.",
    )
    before = "" if http.window_by == "applied" else ", hồ sơ bị từ chối hoặc rút trước khi tiếp nhận giữa hai lần đọc"
    yield SightNote(
        "unseen",
        f"Không thấy khi nạp phần mới: thay đổi của hồ sơ đã kết thúc ngoài {http.window_months} tháng đó{before}; "
        "giấy tờ thay đổi mà danh sách không đổi. Nạp toàn bộ (full) mới thấy.",
        f"giữ lịch `full` trong hợp đồng, tăng http.window_months nếu cần; {_DOCS}",
    )


def _never_seen(audit: Audit) -> Iterator[SightNote]:
    names = [f"{table}.{path}" for table, paths in audit.never_seen().items() for path in paths]
    if names:
        more = f" và {len(names) - _NAMES_SHOWN} trường khác" if len(names) > _NAMES_SHOWN else ""
        yield SightNote("optional", f"Nguồn không có (không bắt buộc): {', '.join(names[:_NAMES_SHOWN])}{more}.")


def _without_address(contract: SourceContract, files: Sequence[dict[str, Any]]) -> Iterator[SightNote]:
    bare = [file for file in files if file.get("id") and file.get("size") and not file.get("downloadURL")]
    if bare and contract.http.file_url is None:
        yield SightNote(
            "files",
            "Tệp có mã và dung lượng nhưng không có địa chỉ tải (downloadURL trống): được tính là có tệp, nhưng Cổng "
            "không nhận được đường dẫn.",
            "hỏi đơn vị vận hành địa chỉ tải tệp rồi ghi http.file_url: https://…/{id} vào hợp đồng.",
        )


def out_of_order(items: Sequence[Item]) -> float:
    """Share of dossiers that stand above one that moved later."""
    latest, below = NEVER, 0
    for item in reversed(items):
        below += item.order < latest
        latest = max(latest, item.order)
    return below / len(items) if items else 0.0


def _pages(contract: SourceContract, page: Page) -> int:
    """Pages of an incremental load: the overlap, at the rate at which the dossiers of this page moved, and the top."""
    moved = sorted(item.order for item in page.items if item.order != NEVER)
    if len(moved) < 2:
        return 2
    span = max(moved[-1] - moved[len(moved) // 10], timedelta(minutes=1))
    rows = int(0.9 * len(moved) * (contract.overlap / span))
    return _requests(contract, min(rows, page.total) if page.total is not None else rows)


def _requests(contract: SourceContract, rows: int) -> int:
    """Requests to read a list of so many dossiers: pages, and its top again where there are several."""
    pages = ceil(rows / (contract.read.page_rows * _FRESH)) or 1
    return pages if rows <= contract.read.page_rows else pages + 1


def _cost(requests: int) -> str:
    return f"mỗi lần nạp khoảng {grouped(requests)} lượt đọc danh sách, thêm giấy tờ và phí của hồ sơ đổi"


def _scalars(item: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values at the top of an item and one level below."""
    for name, value in item.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", below) for inner, below in value.items())
        else:
            yield name, value
