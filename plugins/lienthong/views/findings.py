"""Findings in Vietnamese: what is wrong, since when, what to do. For alerts and the terminal; nothing personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from lienthong.freshness.findings import Finding, FindingKind
from lienthong.model.masking import mask_word
from lienthong.model.numbers import grouped
from lienthong.views.errors import failure_words, named_parts
from lienthong.views.formats import amount, lasting, moment
from lienthong.views.labels import CLOSE_REASONS, FINDING_SEVERITIES

#: Keys of vanished records that a sentence names.
_SHOWN_KEYS = 5


@dataclass(frozen=True)
class FindingView:
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


def finding_view(finding: Finding) -> FindingView:
    """An open finding, or the end of a closed one."""
    what, next_step = _what_and_next_step(finding)
    if finding.closed_at is not None and finding.close_reason is not None:
        ended = CLOSE_REASONS[finding.close_reason]
        return FindingView("ĐÃ HẾT", _where(finding), f"{what}; {ended}", moment(finding.since), "không")
    detail = named_parts(str(finding.details.get("error", "")))
    severity = FINDING_SEVERITIES[finding.severity]
    return FindingView(severity, _where(finding), what, moment(finding.since), next_step, detail)


def _where(finding: Finding) -> str:
    """Source and agency, the province of a backlog, or the task."""
    name = str(finding.details.get("name") or "")
    if finding.kind in (FindingKind.AGENCY_SILENT, FindingKind.AGENCY_LOW):
        return f"{finding.source_id}, {name or 'cơ quan'} ({mask_word(finding.subject)})"
    if finding.kind is FindingKind.TASK_FAILED:
        return f"tác vụ {finding.subject}"
    return f"nguồn {finding.source_id}" if finding.source_id else f"tỉnh {finding.tenant}"


def _what_and_next_step(finding: Finding) -> tuple[str, str]:
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


def _silence(finding: Finding) -> str:
    facts = finding.details
    last = date.fromisoformat(str(facts["last_day"])).strftime("%d/%m/%Y")
    text = f"không có hồ sơ mới {facts.get('days', 0)} ngày làm việc"
    if facts.get("usual") is not None:
        return f"{text} (thường khoảng {amount(facts['usual'])} mỗi ngày), hồ sơ cuối ngày {last}"
    return f"{text} (thường cách không quá {amount(facts.get('usual_gap', 0))} ngày), hồ sơ cuối ngày {last}"


def judged_lines(result: Mapping[str, int]) -> list[str]:
    """How many findings a judgement opened and closed."""
    return [
        f"Đã xem xét tất cả nguồn và việc gửi lên Cổng: {grouped(result['open'])} phát hiện đang mở.",
        f"Mới mở: {grouped(result['opened'])}, vừa hết: {grouped(result['closed'])}. Chi tiết: lienthong status.",
    ]


def alerted_lines(sent: Mapping[str, int]) -> list[str]:
    """How many findings went out on each channel."""
    if not sent:
        kept = "phát hiện chỉ được giữ lại (lienthong status)"
        return ["Đã báo 0 phát hiện.", f"Chưa có kênh cảnh báo nào được cấu hình (0 kênh): {kept}."]
    if not any(sent.values()):
        return ["Không có phát hiện nào mới để báo.", f"{grouped(len(sent))} kênh cảnh báo: {', '.join(sent)}."]
    return ["Đã gửi cảnh báo.", *(f"{channel}: {grouped(number)} phát hiện." for channel, number in sent.items())]
