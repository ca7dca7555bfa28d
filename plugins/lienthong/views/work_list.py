"""Deliveries that wait for a person's decision, and what a decision did: sentences with keys and codes only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lienthong.exchange.decisions import Decided, Open, Undecided
from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.views import labels

#: Dossiers shown of each kind.
EXAMPLES = 20
#: Codes shown to which a decision does not apply.
UNTOUCHED = 20
_DEEDS = {
    "park": "tạm dừng gửi {dossiers} hồ sơ",
    "resume": "cho gửi tiếp {dossiers} hồ sơ",
    "arrived": "coi {steps} bước xử lý của {dossiers} hồ sơ là đã có trên Cổng",
    "resend": "gửi lại {steps} bước xử lý của {dossiers} hồ sơ",
    "look": "hỏi lại Cổng về {dossiers} hồ sơ trong lần gửi tới",
}


def why_parked(line: Undecided) -> str:
    """Why a delivery is parked, in words; empty for the other kinds."""
    return labels.PARKED_BECAUSE.get(line.rule, line.rule) if line.rule else line.reason or ""


def work_list_lines(tenant: str, found: Sequence[Undecided], most: int = EXAMPLES) -> list[str]:
    """Counts by kind with what to do, then the oldest dossiers of each kind, at most `most`."""
    if not found:
        return [f"{tenant}: không có việc gì phải quyết định."]
    lines = []
    for kind in Open:
        own = [line for line in found if line.kind is kind]
        if not own:
            continue
        steps = f", {grouped(sum(len(line.moments) for line in own))} bước" if kind is Open.STEPS else ""
        head = f"{tenant}: {labels.UNDECIDED[kind]}: {grouped(len(own))} hồ sơ{steps}."
        lines.append(f"{head} Việc cần làm: {labels.UNDECIDED_ADVICE[kind]}.")
        for reason, number in Counter(filter(None, map(why_parked, own))).most_common():
            lines.append(f"  Lý do: {reason} ({grouped(number)} hồ sơ)")
        lines += [f"  {line.dossier_code or line.source_key}  từ {parked_since(line)}" for line in own[:most]]
        if len(own) > most:
            lines.append(f"  … và {grouped(len(own) - most)} hồ sơ nữa (danh sách đầy đủ: --csv TỆP)")
    return lines


def decided_lines(tenant: str, done: Decided, *, preview: bool) -> list[str]:
    """What a decision did or, as a preview, would do."""
    deed = _DEEDS[done.action.value].format(dossiers=grouped(done.dossiers), steps=grouped(done.steps))
    lines = [f"{tenant}: {'sẽ ' if preview else 'đã '}{deed}."]
    if done.examples:
        more = " …" if done.dossiers > len(done.examples) else ""
        lines.append(f"  Mã hồ sơ: {', '.join(done.examples)}{more}")
    if done.untouched:
        shown, number = done.untouched[:UNTOUCHED], len(done.untouched)
        more = f" … (tất cả {grouped(number)})" if number > UNTOUCHED else ""
        lines.append(f"  Không áp dụng được (không có, hoặc không ở trạng thái đó): {', '.join(shown)}{more}")
    if preview and done.dossiers:
        lines.append("  Đây là xem trước, chưa thay đổi gì. Chạy lại với --yes để thực hiện.")
    return lines


def parked_since(line: Undecided) -> str:
    """`08:00 ngày 05/11/2026`, Vietnam's time; empty when nobody knows."""
    return "" if line.since is None else line.since.astimezone(BUSINESS_ZONE).strftime("%H:%M ngày %d/%m/%Y")
