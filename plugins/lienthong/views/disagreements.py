"""What a province and a ministry say differently, in words: for the terminal, a CSV file, and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from lienthong.exchange.disagreements import ABSENT, Disagreement
from lienthong.model.codes import DossierStatus
from lienthong.model.masking import mask_word
from lienthong.model.numbers import grouped

FIELDS = {
    ABSENT: "hồ sơ",
    "status": "trạng thái",
    "received_at": "ngày tiếp nhận",
    "due_at": "ngày hẹn trả",
    "finished_at": "ngày kết thúc xử lý",
    "returned_at": "ngày trả kết quả",
    "refused_at": "ngày từ chối",
}
HEADINGS = ("Nguồn của bộ", "Mã hồ sơ", "Cơ quan", "Mục", "Tỉnh ghi", "Bộ ghi")
NOTHING = "(không có)"
#: Lines shown before the rest is only counted.
EXAMPLES = 30


def value(field: str, said: str | None) -> str:
    """A status by its name, a day as people write it."""
    if said is None:
        return NOTHING
    if field == ABSENT:
        return "có"
    return DossierStatus(int(said)).label_vi if field == "status" else f"{date.fromisoformat(said):%d/%m/%Y}"


def row(found: Disagreement) -> tuple[str, ...]:
    """In the order of HEADINGS. What is no well-formed code was typed by people: it is masked."""
    return (
        found.source_id,
        mask_word(found.dossier_code),
        mask_word(found.agency_code or ""),
        FIELDS[found.field],
        value(found.field, found.ours),
        value(found.field, found.theirs),
    )


def summary_line(tenant: str, found: Sequence[Disagreement]) -> str:
    """`H17: tỉnh và bộ ghi khác nhau ở 12 hồ sơ (trạng thái 5, ngày hẹn trả 7)`."""
    if not found:
        return f"{tenant}: tỉnh và bộ không ghi khác nhau ở hồ sơ nào."
    dossiers = len({(one.source_id, one.dossier_code) for one in found})
    fields = Counter(FIELDS[one.field] for one in found)
    counted = ", ".join(f"{label} {grouped(number)}" for label, number in fields.most_common())
    return f"{tenant}: tỉnh và bộ ghi khác nhau ở {grouped(dossiers)} hồ sơ ({counted})."


def lines(tenant: str, found: Sequence[Disagreement], most: int = EXAMPLES) -> list[str]:
    """The count, then each place, at most `most`."""
    told = [summary_line(tenant, found)]
    for one in found[:most]:
        _, code, _, field, ours, theirs = row(one)
        told.append(f"  {code}: {field}: tỉnh ghi {ours}, bộ ghi {theirs} ({one.source_id})")
    if len(found) > most:
        told.append(f"  … và {grouped(len(found) - most)} chỗ nữa (danh sách đầy đủ: --csv TỆP)")
    return told
