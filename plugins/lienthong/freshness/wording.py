"""Findings in Vietnamese: what is wrong, since when, what to do. For alerts and the terminal; nothing personal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lienthong.freshness.findings import CloseReason, Finding, FindingKind, FindingSeverity
from lienthong.model import errors
from lienthong.model.masking import mask_word
from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE

SEVERITY_LABELS = {FindingSeverity.ERROR: "LỖI", FindingSeverity.WARNING: "CẢNH BÁO"}
CLOSE_LABELS = {
    CloseReason.RECOVERED: "đã trở lại bình thường",
    CloseReason.UNLISTED: "cơ quan không còn trong danh mục",
    CloseReason.GIVEN_UP: "im lặng quá lâu, coi như đã ngừng hoạt động",
    CloseReason.TAKEN_BACK: "hợp đồng của nguồn đã được gỡ, không theo dõi nữa",
}
#: What a failed task means, by the class of our error: (what happened, what to do).
ERROR_WORDS = {
    "SourceUnreachableError": ("Hệ thống nguồn không trả lời", "kiểm tra mạng và hệ thống nguồn rồi chạy lại"),
    "SourceAnswerError": ("Hệ thống nguồn trả lời sai", "kiểm tra hệ thống nguồn; nếu kéo dài, báo đơn vị quản lý"),
    "SourceAccessError": ("Hệ thống nguồn từ chối tài khoản", "kiểm tra tài khoản và quyền đọc của kết nối"),
    "SchemaDriftError": ("Cấu trúc dữ liệu nguồn đã đổi", "sửa hợp đồng nguồn theo cấu trúc mới"),
    "CollapsedExtractError": (
        "Nguồn trả về ít hồ sơ bất thường, chưa nạp gì",
        "kiểm tra nguồn; nếu đúng là dữ liệu đã bị xóa, chạy lại với accept_collapse",
    ),
    "LandingCorruptError": ("Tệp dữ liệu thô bị hỏng", "khôi phục tệp hoặc chạy lần nạp mới"),
    "ConservationError": ("Số dòng của lần nạp không khớp", "báo nhóm phát triển; dữ liệu cũ còn nguyên"),
    "GateError": ("Bước kiểm tra chất lượng dừng cả lô", "xem nhật ký của tác vụ kiểm tra"),
    "ArgumentError": ("Tham số không hợp lệ", "gõ lại lệnh (hoặc sửa tham số của lần chạy DAG) theo gợi ý"),
    "ContractError": ("Cấu hình không dùng được", "sửa tệp cấu hình hoặc kết nối được nêu"),
    "PortalUnreachableError": ("Cổng Dịch vụ công quốc gia không trả lời", "chờ lần gửi sau; nếu kéo dài, báo Cổng"),
    "PortalAccessError": ("Cổng từ chối tài khoản", "kiểm tra tài khoản của tỉnh trên Cổng"),
    "HistoryUndecidedError": (
        "Hồ sơ cũ của nguồn chưa được quyết định, chưa gửi gì của nguồn này",
        "quyết định một lần theo docs/cutting-over.md",
    ),
    "FinalScoreExistsError": (
        "Tháng đã có điểm chính thức, không chấm lại và không thay tệp đã công bố",
        "giữ điểm đã công bố; muốn có lại đúng tệp đó thì chạy `lienthong score <tháng> --final --again`",
    ),
    "DefectError": ("Lỗi của chương trình", "báo nhóm phát triển, kèm nhật ký của tác vụ"),
    "AlertChannelError": ("Không gửi được cảnh báo", "kiểm tra kết nối của kênh cảnh báo được nêu"),
    "NotReadyError": ("Chưa đủ điều kiện để chạy", "chạy bước còn thiếu được nêu"),
    "BusyError": ("Dữ liệu đang bị lần chạy khác giữ", "chờ lần chạy kia xong rồi chạy lại"),
    "UnreadableConnectionError": ("Không hiểu được cấu hình kết nối", "viết lại kết nối được nêu theo docs/sources.md"),
    "LoadStateError": ("Lần nạp không ở trạng thái cho bước này", "chạy lần nạp mới"),
    "WarehouseUnreachableError": ("Kho dữ liệu không trả lời", "kiểm tra máy chủ PostgreSQL của kho rồi chạy lại"),
    "WarehouseTroubleError": (
        "Kho dữ liệu thiếu tài nguyên hoặc gặp lỗi",
        "xem nhật ký của PostgreSQL rồi chạy lại",
    ),
    "WarehouseRefusedError": (
        "Kho dữ liệu từ chối một lệnh hoặc một dòng; dữ liệu cũ còn nguyên",
        "báo nhóm phát triển, kèm mã lỗi và nơi xảy ra",
    ),
    "DiskFullError": ("Đĩa đã đầy", "giải phóng hoặc thêm dung lượng rồi chạy lại"),
    "FencedError": ("Một lần chạy khác đã làm thay việc này", "không cần làm gì"),
    "AirflowTaskTimeout": ("Tác vụ chạy quá thời gian cho phép", "xem nhật ký của tác vụ; nguồn có thể chậm"),
}
#: Keys of vanished records that a sentence names.
_SHOWN_KEYS = 5
#: What our errors name before their words: `[source opencps_h17, load 3, key …] `, in the ledger after a step.
_NAMED = re.compile(r"(?:\w+: )?\[(?P<named>[^\]]*)\] ")
NAMED_LABELS = {"source": "nguồn", "load": "lần nạp", "key": "khóa"}
_UNEXPECTED = ("Lỗi ngoài dự kiến", "xem nhật ký của tác vụ")


@dataclass(frozen=True)
class Words:
    """A finding for people: where, what, since when, next step. `detail`: what our own error is about, or ''."""

    severity: str
    where: str
    what: str
    since: str
    next_step: str
    detail: str = ""

    @property
    def lines(self) -> list[str]:
        """For plain text; the detail is left out when there is none."""
        shown = [f"{self.severity}: {self.where}: {self.what}.", f"  Từ: {self.since}"]
        if self.detail:
            shown.append(f"  Chi tiết: {self.detail}")
        return [*shown, f"  Việc cần làm: {self.next_step}."]


def words(finding: Finding) -> Words:
    """What to tell of an open finding, or of the end of a closed one."""
    told, next_step = _told(finding)
    if finding.closed_at is not None and finding.close_reason is not None:
        ended = CLOSE_LABELS[finding.close_reason]
        return Words("ĐÃ HẾT", _where(finding), f"{told}; {ended}", moment(finding.since), "không")
    detail = _about(str(finding.details.get("error", "")))
    severity = SEVERITY_LABELS[finding.severity]
    return Words(severity, _where(finding), told, moment(finding.since), next_step, detail)


def failure_words(kind: str, error: str) -> tuple[str, str]:
    """What failed and what to do, by the class of an error and, where that has no words here, its own sentence."""
    return ERROR_WORDS.get(kind) or _own_sentence(kind, error) or _UNEXPECTED


def moment(instant: datetime) -> str:
    """`05/11/2026 08:00`, or only the day where it is midnight; Vietnam's time."""
    local = instant.astimezone(BUSINESS_ZONE)
    return local.strftime("%d/%m/%Y") if (local.hour, local.minute) == (0, 0) else local.strftime("%d/%m/%Y %H:%M")


def lasting(span: timedelta) -> str:
    """`3 ngày`, `5 giờ`, `12 phút`, `40 giây`: the largest unit, rounded down."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, name in ((86_400, "ngày"), (3_600, "giờ"), (60, "phút")):
        if seconds >= unit:
            return f"{amount(seconds // unit)} {name}"
    return f"{seconds} giây"


def amount(number: float) -> str:
    """1234567 → 1.234.567; 2.5 → 2,5."""
    return grouped(number, 0 if number == int(number) else 1)


def _where(finding: Finding) -> str:
    """Source and agency, the province of a backlog, or the task."""
    name = str(finding.details.get("name") or "")
    if finding.kind in (FindingKind.AGENCY_SILENT, FindingKind.AGENCY_LOW):
        return f"{finding.source_id}, {name or 'cơ quan'} ({mask_word(finding.subject)})"
    if finding.kind is FindingKind.TASK_FAILED:
        return f"tác vụ {finding.subject}"
    return f"nguồn {finding.source_id}" if finding.source_id else f"tỉnh {finding.tenant}"


def _told(finding: Finding) -> tuple[str, str]:
    """What is wrong, and what to do."""
    facts = finding.details
    ask = "hỏi đơn vị quản lý nguồn xem hồ sơ mới có được ghi và đồng bộ không"
    if finding.kind in (FindingKind.LOAD_FAILED, FindingKind.TASK_FAILED):
        what, next_step = failure_words(str(facts.get("class", "")), str(facts.get("error", "")))
        if finding.kind is FindingKind.LOAD_FAILED and "class" not in facts:
            what = "lần nạp gần nhất bị lỗi"
            next_step = f"xem lỗi bằng `lienthong status {finding.source_id}`, sửa rồi chạy lại DAG của nguồn"
        return what, next_step
    if finding.kind is FindingKind.SOURCE_STALE:
        ticks = f"{'hơn ' if facts.get('at_least') else ''}{facts.get('ticks', 0)}"
        return (
            f"chưa được đọc, đã lỡ {ticks} lượt của lịch ({facts.get('cron', '')})",
            f"xem DAG nạp nguồn {finding.source_id} có bị tạm dừng hoặc lỗi không",
        )
    if finding.kind is FindingKind.SOURCE_CLOCK_AHEAD:
        return (
            f"đồng hồ của nguồn chạy nhanh {lasting(timedelta(seconds=int(facts.get('ahead_s', 0))))} so với máy này",
            "đồng bộ NTP trên cả hai máy; lệch tròn giờ thì kiểm tra múi giờ của máy chủ nguồn",
        )
    if finding.kind is FindingKind.RECORDS_VANISHED:
        records, keys = int(facts.get("records", 0)), [str(key) for key in facts.get("keys", ())]
        shown = ", ".join(keys[:_SHOWN_KEYS]) + (", …" if records > _SHOWN_KEYS else "")
        return (
            f"{amount(records)} hồ sơ đã nạp không còn ở nguồn (khóa {shown})",
            "hỏi đơn vị quản lý nguồn các hồ sơ này bị xóa thật hay bị mất; Liên Thông giữ nguyên, không xóa gì",
        )
    if finding.kind is FindingKind.SOURCE_SILENT:
        return f"cả nguồn {_silence(finding)}", ask
    if finding.kind is FindingKind.AGENCY_SILENT:
        return _silence(finding), f"hỏi cơ quan có còn tiếp nhận hồ sơ không; {ask}"
    if finding.kind in (FindingKind.SOURCE_LOW, FindingKind.AGENCY_LOW):
        seen, expected, days = facts.get("seen", 0), facts.get("expected", 0), facts.get("days", 0)
        return f"{days} ngày làm việc chỉ có {amount(seen)} hồ sơ, thường khoảng {amount(expected)}", ask
    if finding.kind is FindingKind.UNDECIDED:
        return (
            f"chờ người quyết định: {amount(facts.get('parked', 0))} hồ sơ đang tạm dừng gửi, "
            f"{amount(facts.get('steps', 0))} bước xử lý chưa rõ đã tới Cổng hay chưa",
            f"xem `lienthong delivery list {finding.tenant}`",
        )
    return (
        f"còn nợ Cổng {amount(facts.get('owed', 0))} hồ sơ, chưa rõ kết quả {amount(facts.get('unsettled', 0))}",
        "xem DAG portal_push và trạng thái của Cổng",
    )


def _about(error: str) -> str:
    """`nguồn opencps_h17, lần nạp 7, khóa …`: what an error names, without its English words."""
    found = _NAMED.match(error)
    if found is None:
        return ""
    parts = (part.partition(" ") for part in found["named"].split(", "))
    return ", ".join(f"{NAMED_LABELS.get(name, name)} {value}".rstrip() for name, _, value in parts)


def _own_sentence(kind: str, error: str) -> tuple[str, str] | None:
    """What an error of ours without Vietnamese words says itself. The words of foreign classes are never told here."""
    found = getattr(errors, kind, None)
    if not (isinstance(found, type) and issubclass(found, errors.LienThongError)):
        return None
    what, _, next_step = re.sub(r"^\[[^]]*\] ", "", " ".join(error.split())).partition(" Next: ")
    return (what.rstrip("."), next_step.rstrip(".") or _UNEXPECTED[1]) if what else None


def _silence(finding: Finding) -> str:
    facts = finding.details
    last = date.fromisoformat(str(facts["last_day"])).strftime("%d/%m/%Y")
    text = f"không có hồ sơ mới {facts.get('days', 0)} ngày làm việc"
    if facts.get("usual") is not None:
        return f"{text} (thường khoảng {amount(facts['usual'])} mỗi ngày), hồ sơ cuối ngày {last}"
    return f"{text} (thường cách không quá {amount(facts.get('usual_gap', 0))} ngày), hồ sơ cuối ngày {last}"
