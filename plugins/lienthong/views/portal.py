"""What an exchange with the portal did, as lines in Vietnamese: first what happened, then the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from lienthong.model.numbers import grouped
from lienthong.views import labels

if TYPE_CHECKING:
    from lienthong.exchange.adoption import AdoptionSummary
    from lienthong.exchange.shadow import ShadowSummary

#: Kinds that tell why nothing is known.
UNKNOWN_BECAUSE = ("present", "refused")


def catalogue_lines(done: Mapping[str, object]) -> list[str]:
    """What one sync of the catalogue listed and changed, and the accounts that the portal refused."""
    counts = {name: grouped(value) for name, value in done.items() if isinstance(value, int)}
    lines = [
        f"Danh mục quốc gia, bản {done['revision']}: {counts['procedures']} thủ tục "
        f"({counts['changed']} mới hoặc thay đổi, {counts['vanished']} không còn), {counts['agencies']} cơ quan."
    ]
    if done["without_detail"]:
        lines.append(f"Cổng không cho chi tiết của {counts['without_detail']} thủ tục: giữ như lần trước.")
    refused = cast("list[str]", done["accounts_refused"])
    if refused:
        lines.append(f"Tài khoản không dùng được: {', '.join(refused)}. Danh mục lấy qua tài khoản khác.")
    return lines


def push_lines(done: Mapping[str, object]) -> list[str]:
    """What one push derived and sent; where the province's deliveries stand is told by their table."""
    tenant = done["tenant"]
    derived = cast("dict[str, int]", done["derived"])
    lines = [
        f"{tenant}: {grouped(derived['examined'])} hồ sơ có thay đổi: {grouped(derived['owed'])} phải gửi, "
        f"{grouped(derived['unchanged'])} không khác lần gửi trước, {grouped(derived['blocked'])} bị chặn, "
        f"{grouped(derived['waiting'])} chờ tiếp nhận, {grouped(derived['held'])} chỉ theo dõi."
    ]
    pushed = cast("dict[str, int] | None", done.get("pushed"))
    if pushed is None:
        lines.append("Không gửi gì: chưa có nguồn nào của tỉnh ở chế độ own.")
        return lines
    lines.append(
        f"Đã gửi {grouped(pushed['delivered'])} hồ sơ ({grouped(pushed['created'])} mới, "
        f"{grouped(pushed['updated'])} cập nhật) và {grouped(pushed['steps_sent'])} bước xử lý "
        f"qua {grouped(pushed['calls'])} lần gọi Cổng."
    )
    return lines


def owing_lines(tenants: Sequence[str], *, after_load: bool) -> list[str]:
    """Who is pushed, and why these."""
    why = "sau một lần nạp: những đơn vị có việc để gửi" if after_load else "do người dùng chạy: mọi đơn vị có hợp đồng"
    if not tenants:
        return ["Không đơn vị nào có gì để gửi lên Cổng.", f"Cách chọn: {why}."]
    return [f"Sẽ gửi cho {grouped(len(tenants))} đơn vị: {', '.join(tenants)}.", f"Cách chọn: {why}."]


def standing_lines(done: Mapping[str, object]) -> list[str]:
    """Where the dossiers of the tenant stand after a push; nothing where none are sent."""
    pushed = cast("dict[str, int] | None", done.get("pushed"))
    if pushed is None:
        return []
    found = (f"{label} {grouped(pushed[state])}" for state, label in labels.DELIVERY_STATES.items() if state in pushed)
    return [f"Hiện nay: {', '.join(found)}."]


def shadow_lines(summary: ShadowSummary) -> list[str]:
    """The counts of a comparison, one line each; a dossier counts under each kind."""
    kinds = {
        kind.value: f"{labels.DIFFERENCES[kind.value]}: {grouped(number)}"
        for kind, number in summary.kinds.items()
        if number and kind.value in labels.DIFFERENCES
    }
    lines = [
        f"{summary.tenant}: {grouped(summary.dossiers)} hồ sơ có thể gửi, "
        f"{grouped(summary.not_compared)} chưa so với Cổng"
    ]
    for verdict, number in summary.verdicts.items():
        lines.append(f"  {labels.COMPARED[verdict.value]}: {grouped(number)}")
        if verdict.value == "unknown":
            lines += [f"    {kinds.pop(kind)}" for kind in UNKNOWN_BECAUSE if kind in kinds]
    if blocked := kinds.pop("blocked", None):
        lines.append(f"  {blocked}")
    if kinds:
        lines += ["  Khác ở chỗ nào (một hồ sơ có thể khác nhiều chỗ):", *(f"    {kind}" for kind in kinds.values())]
    if summary.fields:
        fields = ", ".join(f"{name} {grouped(number)}" for name, number in summary.fields.items())
        lines.append(f"  Trường khác nhau: {fields}")
    return lines


def adoption_lines(summary: AdoptionSummary) -> list[str]:
    """What is known about a tenant's dossiers, and what to do about those nobody knows."""
    lines = [f"{summary.tenant}:"]
    lines += [f"  {label}: {grouped(getattr(summary, name))}" for name, label in labels.ADOPTED.items()]
    if summary.undecided:
        lines.append(
            "  Hồ sơ chưa quyết định: chạy lại với --verify; nếu Cổng không cho xem nội dung, cân nhắc "
            "--accept-presence hoặc --assume-finished-before (xem docs/cutting-over.md)."
        )
    return lines
