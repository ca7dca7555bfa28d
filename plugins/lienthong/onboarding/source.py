"""The lines of a check about the source itself: permissions, columns, volumes, clock and time zone."""

from __future__ import annotations

from datetime import datetime, timedelta

from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.onboarding.lines import Line, good, problem, warning
from lienthong.sources.contract import SourceContract
from lienthong.sources.office_hours import inside, office_shift
from lienthong.sources.profile import SightNote, SourceSight

#: A source's clock may differ so much; beyond the second it is a problem.
CLOCK_TOLERANCE = timedelta(seconds=30)
CLOCK_LIMIT = timedelta(minutes=5)
#: Data older than this is worth a line: does the source still live?
QUIET = timedelta(days=3)
#: Columns of a table that a line names.
COLUMNS_SHOWN = 5
#: From this many rows on, reading what changed without an index burdens the source.
SCAN_ROWS = 100_000


def source_lines(contract: SourceContract, sight: SourceSight, now: datetime) -> list[Line]:
    """Lines about what a look found."""
    return [
        good("reach", f"Vào được nguồn: {sight.server}.", server=sight.server),
        *_permission_lines(sight),
        *_column_lines(contract, sight),
        *(_note_line(note) for note in sight.notes),
        *_volume_lines(sight, now),
        *_index_lines(sight),
        *_clock_lines(sight),
        *_zone_lines(contract, sight, now),
        *(warning("remark", remark, "xem docs/connect-a-source.md.") for remark in sight.remarks),
    ]


def _permission_lines(sight: SourceSight) -> list[Line]:
    lines = []
    if sight.unreadable:
        names = ", ".join(sight.unreadable)
        lines.append(
            problem("read", f"Tài khoản không đọc được: {names}.", f"cấp quyền SELECT trên {names}.", tables=names)
        )
    else:
        lines.append(good("read", f"Đọc được mọi bảng, tài nguyên cần dùng ({len(sight.tables)})."))
    if sight.may_write:
        rights = list(sight.may_write)
        shown = ", ".join(rights[:6]) + (f" và {len(rights) - 6} quyền khác" if len(rights) > 6 else "")
        lines.append(
            warning(
                "write",
                f"Tài khoản có quyền ngoài đọc: {shown}.",
                "dùng tài khoản chỉ có quyền SELECT (docs/connect-a-source.md, bước 1).",
                rights=rights,
            )
        )
    elif sight.may_write is not None:
        lines.append(good("write", "Tài khoản chỉ có quyền đọc."))
    return lines


def _column_lines(contract: SourceContract, sight: SourceSight) -> list[Line]:
    lines = []
    for missing in sight.missing:
        kind, _, name = missing.partition(" ")
        label = "bảng" if kind == "table" else "cột"
        lines.append(
            problem(
                "columns",
                f"Nguồn không có {label} {name.replace('now perhaps', 'có thể nay là')}.",
                "hỏi đơn vị vận hành; nếu đúng là không có thì ghi vào `ignore` trong "
                f"include/sources/{contract.source_id}.yaml.",
                missing=missing,
            )
        )
    for table, names in sight.unmapped_columns.items():
        more = len(names) - COLUMNS_SHOWN
        shown = ", ".join(names[:COLUMNS_SHOWN])
        lines.append(
            warning(
                "unmapped_columns",
                f"Cột chưa ai ánh xạ trong {table}: {shown}{f' và {more} cột khác' if more > 0 else ''}.",
                f"ánh xạ, hoặc ghi vào `ignore` của hợp đồng: {table}: [{shown}{', …' if more > 0 else ''}]"
                f"{' (đủ danh sách: --json)' if more > 0 else ''}.",
                table=table,
                columns=list(names),
            )
        )
    return lines or [good("columns", "Đủ bảng và cột; không có cột lạ.")]


def _note_line(note: SightNote) -> Line:
    if note.next_step is None:
        return good(note.topic, note.text)
    return (problem if note.stops else warning)(note.topic, note.text, note.next_step)


def _volume_lines(sight: SourceSight, now: datetime) -> list[Line]:
    lines: list[Line] = []
    for table in sight.tables:
        amount = "quá nhiều để đếm" if table.rows is None else f"khoảng {grouped(table.rows)}"
        newest = f", sửa gần nhất {_local(table.newest_at)}" if table.newest_at else ""
        data = {
            "table": table.name,
            "rows": table.rows,
            "newest_at": table.newest_at.isoformat() if table.newest_at else None,
        }
        if table.rows == 0 and table.indexed is not None:
            lines.append(
                warning("volume", f"{table.name}: không có hàng nào.", "kiểm tra có đúng cơ sở dữ liệu không.", **data)
            )
        else:
            lines.append(good("volume", f"{table.name}: {amount} hàng{newest}.", **data))
    if sight.days:
        shown = ", ".join(f"{day:%d/%m}: {grouped(amount)}" for day, amount in sight.days)
        lines.append(
            good(
                "days",
                f"Hồ sơ tiếp nhận theo ngày: {shown}.",
                days={day.isoformat(): amount for day, amount in sight.days},
            )
        )
    newest_of_all = max((table.newest_at for table in sight.tables if table.newest_at), default=None)
    today = sight.clock or now
    if newest_of_all and today - newest_of_all > QUIET:
        lines.append(
            warning(
                "quiet",
                f"Dữ liệu mới nhất đã {(today - newest_of_all).days} ngày tuổi.",
                "hỏi đơn vị vận hành: đây có phải hệ thống đang chạy, hay là bản sao?",
                newest_at=newest_of_all.isoformat(),
            )
        )
    return lines


def _index_lines(sight: SourceSight) -> list[Line]:
    scanned = [table for table in sight.tables if table.indexed is False]
    large = [table.name for table in scanned if table.rows is None or table.rows > SCAN_ROWS]
    if large:
        return [
            warning(
                "index",
                f"Không có chỉ mục bắt đầu bằng modifiedDate trên {', '.join(large)}: nạp gia tăng quét cả bảng.",
                "đề nghị thêm chỉ mục (modifiedDate, khóa chính), hoặc đặt `read.hours` để chỉ đọc ban đêm.",
                tables=large,
            )
        ]
    if scanned:
        names = ", ".join(table.name for table in scanned)
        return [
            good("index", f"Nạp gia tăng quét {names} (không có chỉ mục modifiedDate); còn nhỏ nên chấp nhận được.")
        ]
    if any(table.indexed for table in sight.tables):
        return [good("index", "Có chỉ mục cho việc đọc gia tăng.")]
    return []


def _clock_lines(sight: SourceSight) -> list[Line]:
    if sight.clock_ahead is None:
        return []
    off = abs(sight.clock_ahead)
    seconds = round(sight.clock_ahead.total_seconds())
    if off <= CLOCK_TOLERANCE:
        return [
            good("clock", f"Đồng hồ của nguồn khớp với đồng hồ máy này (lệch {abs(seconds)} giây).", ahead_s=seconds)
        ]
    text = f"Đồng hồ của nguồn {'nhanh' if seconds > 0 else 'chậm'} {_span(off)} so với đồng hồ máy này."
    next_step = "đồng bộ NTP trên cả hai máy; lệch tròn giờ thì kiểm tra múi giờ của máy chủ nguồn."
    return [(problem if off > CLOCK_LIMIT else warning)("clock", text, next_step, ahead_s=seconds)]


def _zone_lines(contract: SourceContract, sight: SourceSight, now: datetime) -> list[Line]:
    """A wrong zone shows twice: changes from the future, and offices that work at night."""
    clock = sight.clock or now
    next_step = (
        f"kiểm tra time_zone: {contract.time_zone} trong hợp đồng. Nguồn ghi giờ UTC thì đặt UTC, "
        "ghi giờ Việt Nam thì đặt Asia/Ho_Chi_Minh."
    )
    newest = max((table.newest_at for table in sight.tables if table.newest_at), default=None)
    if newest and newest - clock > CLOCK_LIMIT:
        ahead = newest - clock
        return [
            problem(
                "zone",
                f"Múi giờ đáng ngờ: hàng mới nhất được sửa ở tương lai, {_span(ahead)} sau giờ của nguồn.",
                next_step,
                newest_ahead_s=round(ahead.total_seconds()),
            )
        ]
    shift = office_shift(sight.hours)
    if shift:
        now_inside, total = inside(sight.hours), sum(sight.hours)
        return [
            problem(
                "zone",
                f"Múi giờ đáng ngờ: chỉ {now_inside * 100 // total}% thay đổi rơi vào giờ làm việc (7–19 giờ); "
                f"dịch {shift:+d} giờ thì được {inside(sight.hours, shift) * 100 // total}%.",
                next_step,
                shift_hours=shift,
            )
        ]
    return [good("zone", f"Giờ trong dữ liệu hợp với múi giờ {contract.time_zone}.")]


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(BUSINESS_ZONE):%d/%m/%Y %H:%M}"


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 2:
        return f"{round(span.total_seconds())} giây"
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = ((days, "ngày"), (hours, "giờ"), (rest, "phút"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)
