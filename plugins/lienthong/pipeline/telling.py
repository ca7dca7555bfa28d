"""What a step of a load, a scoring or a judgement did, as lines in Vietnamese: first what happened, then the counts.

For the logs of tasks, which many people may read: ids, names of rules and numbers, never a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from lienthong.connections import Role
from lienthong.freshness.wording import moment
from lienthong.model.codes import LoadMode, LoadState, Severity
from lienthong.model.numbers import grouped
from lienthong.model.periods import Month
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.staging import landed_batch, landed_rows, source_of
from lienthong.pipeline.summary import ENTITY_LABELS, OUTCOME_LABELS
from lienthong.warehouse import ledger
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from lienthong.warehouse.ledger import Load

MODE_LABELS = {
    LoadMode.INCREMENTAL: "đọc phần mới",
    LoadMode.FULL: "đọc lại tất cả",
    LoadMode.RANGE: "đọc một khoảng thời gian",
}
SEVERITY_LABELS = {Severity.REJECT: "Cách ly", Severity.BLOCK: "Chặn gửi", Severity.WARN: "Cảnh báo"}
KIND_LABELS = {"provisional": "tạm tính", "final": "chính thức"}
UNIT_LABELS = {
    "ministry": "bộ, ngành",
    "province": "tỉnh, thành phố",
    "department": "sở, ban, ngành",
    "commune": "xã, phường, đặc khu",
}


def opened_lines(rt: Runtime, load_id: int, *, collapse_accepted: bool) -> list[str]:
    """Which load was opened, what it reads, and how far the source was read before."""
    with rt.warehouse(Role.READER).connect() as connection:
        load = ledger.read_load(connection, load_id)
        marks = run(connection, "ops/read_watermarks", tenant=load.tenant, source_id=load.source_id).all()
    read_until = max((mark.modified_at for mark in marks if mark.modified_at is not None), default=None)
    lines = [
        f"Đã mở {_named(load)}: {MODE_LABELS[load.mode]} ({load.mode}).",
        f"Mốc đã đọc trước đó: {moment(read_until)}."
        if read_until
        else "Mốc đã đọc trước đó: chưa có, lần nạp đầu tiên.",
    ]
    if load.window_from and load.window_to:
        lines.append(f"Từ {moment(load.window_from)} đến trước {moment(load.window_to)}, giờ Việt Nam.")
    if collapse_accepted:
        lines.append("Theo yêu cầu, lần nạp này chấp nhận số hồ sơ giảm (accept_collapse).")
    return lines


def extracted_lines(rt: Runtime, load_id: int) -> list[str]:
    """How many rows were landed, by entity."""
    load = _load(rt, load_id)
    _, profile = source_of(rt, load)
    batch = landed_batch(rt, load)
    unmapped = sum(len(columns) for columns in batch.manifest.facts.unmapped_columns.values())
    lines = [
        f"Đã đọc xong nguồn {_of(load)}.",
        f"Bản ghi đã đọc: {_by_entity(landed_rows(profile, batch))}.",
        f"Đồng hồ của nguồn lúc bắt đầu đọc: {moment(batch.manifest.facts.observed_at)}.",
    ]
    return [*lines, f"Cột chưa ánh xạ: {grouped(unmapped)}."] if unmapped else lines


def staged_lines(rt: Runtime, load_id: int) -> list[str]:
    """What has to be checked, and what was known already."""
    load = _load(rt, load_id)
    return [
        f"Đã chuẩn hóa dữ liệu của {_named(load)}.",
        f"Mới hoặc thay đổi, sẽ kiểm tra: {_by_entity(load.staged_rows or {})}.",
        f"Đã biết từ trước, không đổi: {_by_entity(load.set_aside or {})}.",
    ]


def gated_lines(rt: Runtime, load_id: int) -> list[str]:
    """Rules passed and failed, dossiers held back, and each rule that failed with its count."""
    load = _load(rt, load_id)
    with rt.warehouse(Role.READER).connect() as connection:
        rules = run(connection, "quality/read_gate_results", tenant=load.tenant, load_id=load_id).all()
        counts = run(connection, "quality/count_verdicts", tenant=load.tenant, load_id=load_id).one()
    failed = [rule for rule in rules if rule.failed]
    used = sum(rule.evaluated > 0 for rule in rules)
    lines = [f"Đã kiểm tra chất lượng {_named(load)}: {_verdict(used, len(failed))}."]
    if load.state is LoadState.GATED:  # once merged, what was staged is gone
        lines.append(
            f"Hồ sơ bị cách ly: {grouped(counts.rejected)}, bị chặn gửi: {grouped(counts.blocked)}; "
            f"bản ghi con bị cách ly: {grouped(counts.rejected_children)}."
        )
    return lines + [
        f"{SEVERITY_LABELS[Severity(rule.severity)]} ({rule.rule_id}): {rule.title_vi}: {grouped(rule.failed)} trong "
        f"{grouped(rule.evaluated)} {ENTITY_LABELS[rule.entity].lower()}."
        for rule in failed
    ]


def merged_lines(result: Mapping[str, object]) -> list[str]:
    """What became of the rows of a load, by entity and outcome."""
    counts = cast("Mapping[str, Mapping[str, int]]", result["counts"])
    named = f"lần nạp {result['load_id']} của nguồn {result['source_id']}"
    dossiers = counts.get("dossier", {})
    changed = any(found["inserted"] or found["updated"] for found in counts.values())
    lines = [
        f"Đã nạp xong {named}: {grouped(dossiers.get('inserted', 0))} hồ sơ thêm mới, "
        f"{grouped(dossiers.get('updated', 0))} cập nhật, {grouped(dossiers.get('quarantined', 0))} cách ly."
        if changed
        else f"Đã nạp xong {named}: không có gì mới hoặc thay đổi."
    ]
    for entity in (entity for entity in ENTITY_LABELS if entity in counts):
        outcomes = (
            f"{_inline(label)} {grouped(counts[entity][outcome])}"
            for outcome, label in OUTCOME_LABELS.items()
            if outcome in counts[entity]
        )
        lines.append(f"{ENTITY_LABELS[entity]}: {', '.join(outcomes)}.")
    return lines


def scored_lines(rt: Runtime, run_id: int) -> list[str]:
    """Which month was scored, how many units, and the points of each province."""
    from lienthong.pipeline.score import top_scores

    with rt.warehouse(Role.READER).connect() as connection:
        found = run(connection, "indices/read_score_run", run_id=run_id).one()
        units = run(connection, "indices/count_scored_units", tenants=list(found.tenants), run_id=run_id).all()
    counted = ", ".join(f"{grouped(row.units)} {UNIT_LABELS.get(row.kind, row.kind)}" for row in units)
    return [
        f"Đã chấm Bộ chỉ số 766 {Month.parse(found.month).label_vi}, {KIND_LABELS[found.kind]} (lần chấm {run_id}).",
        f"Đơn vị được chấm: {counted or '0'}.",
        *(
            f"{top.name} ({top.tenant}): {grouped(top.score or 0, 2)} trên {grouped(top.available)} điểm đo được."
            for top in top_scores(rt, run_id)
        ),
    ]


def published_lines(result: Mapping[str, object]) -> list[str]:
    """Where the reports lie."""
    return [
        "Đã ghi bảng điểm và báo cáo cách ly.",
        f"Bảng điểm: {result['workbook']}",
        f"Báo cáo cách ly: {result['quarantine']}",
    ]


def judged_lines(result: Mapping[str, int]) -> list[str]:
    """How many findings a judgement opened and closed."""
    return [
        f"Đã xem xét tất cả nguồn và việc gửi lên Cổng: {grouped(result['open'])} phát hiện đang mở.",
        f"Mới mở: {grouped(result['opened'])}, vừa hết: {grouped(result['closed'])}. Chi tiết: lienthong status.",
    ]


def alerted_lines(told: Mapping[str, int]) -> list[str]:
    """How many findings each channel told."""
    if not told:
        kept = "phát hiện chỉ được giữ lại (lienthong status)"
        return ["Đã báo 0 phát hiện.", f"Chưa có kênh cảnh báo nào được cấu hình (0 kênh): {kept}."]
    if not any(told.values()):
        return ["Không có phát hiện nào mới để báo.", f"{grouped(len(told))} kênh cảnh báo: {', '.join(told)}."]
    return ["Đã gửi cảnh báo.", *(f"{channel}: {grouped(number)} phát hiện." for channel, number in told.items())]


def _load(rt: Runtime, load_id: int) -> Load:
    with rt.warehouse(Role.READER).connect() as connection:
        return ledger.read_load(connection, load_id)


def _named(load: Load) -> str:
    return f"lần nạp {load.load_id} của nguồn {load.source_id} ({load.tenant})"


def _of(load: Load) -> str:
    return f"{load.source_id} ({load.tenant}), lần nạp {load.load_id}"


def _by_entity(rows: Mapping[str, int]) -> str:
    """`301 hồ sơ, 1.322 bước xử lý, …`; every entity is named, with 0 where there is none."""
    return ", ".join(f"{grouped(rows.get(entity, 0))} {label.lower()}" for entity, label in ENTITY_LABELS.items())


def _verdict(used: int, failed: int) -> str:
    if not used:
        return "không có bản ghi mới hoặc thay đổi để kiểm tra"
    return f"{grouped(used - failed)} quy tắc đạt, {grouped(failed)} quy tắc không đạt"


def _inline(label: str) -> str:
    """A heading that is broken over lines, inside a sentence."""
    return label.replace("\n", " ").lower()
