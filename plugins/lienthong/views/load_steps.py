"""What a step of a load did: first what happened, then the counts, as sentences in Vietnamese.

For the logs of tasks, which many people may read: ids, names of rules and numbers, never a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy.engine import Connection

from lienthong.model.codes import LoadState
from lienthong.model.kinds import KINDS, KindSpec, kind_of_entity
from lienthong.model.numbers import grouped
from lienthong.views import labels
from lienthong.views.formats import moment
from lienthong.views.loads import in_order
from lienthong.warehouse import ledger
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import of_kind, run


@dataclass(frozen=True)
class OpenedLoad:
    """A load that was opened. `read_until`: how far its source was read before; None for its first load."""

    load: Load
    read_until: datetime | None
    collapse_accepted: bool

    @property
    def lines(self) -> list[str]:
        load = self.load
        lines = [
            f"Đã mở {_named(load)}: {labels.LOAD_MODES[load.mode]} ({load.mode}).",
            f"Mốc đã đọc trước đó: {moment(self.read_until)}."
            if self.read_until
            else "Mốc đã đọc trước đó: chưa có, lần nạp đầu tiên.",
        ]
        if load.window_from and load.window_to:
            lines.append(f"Từ {moment(load.window_from)} đến trước {moment(load.window_to)}, giờ Việt Nam.")
        if self.collapse_accepted:
            lines.append("Theo yêu cầu, lần nạp này chấp nhận số hồ sơ giảm (accept_collapse).")
        return lines


@dataclass(frozen=True)
class ExtractedLoad:
    """Rows landed by entity, the source's clock when reading began, columns that nobody maps."""

    load: Load
    landed: Mapping[str, int]
    observed_at: datetime
    unmapped_columns: int

    @property
    def lines(self) -> list[str]:
        lines = [
            f"Đã đọc xong nguồn {_of(self.load)}.",
            f"Bản ghi đã đọc: {_by_entity(self.landed)}.",
            f"Đồng hồ của nguồn lúc bắt đầu đọc: {moment(self.observed_at)}.",
        ]
        unmapped = self.unmapped_columns
        return [*lines, f"Cột chưa ánh xạ: {grouped(unmapped)}."] if unmapped else lines


@dataclass(frozen=True)
class StagedLoad:
    """What has to be checked, and what was known already; both are in the ledger."""

    load: Load

    @property
    def lines(self) -> list[str]:
        return [
            f"Đã chuẩn hóa dữ liệu của {_named(self.load)}.",
            f"Mới hoặc thay đổi, sẽ kiểm tra: {_by_entity(self.load.staged_rows or {})}.",
            f"Đã biết từ trước, không đổi: {_by_entity(self.load.set_aside or {})}.",
        ]


@dataclass(frozen=True)
class RuleView:
    """What one rule found in a load: rows that it looked at, and of them those that break it."""

    entity: str
    rule_id: str
    severity: str
    title: str
    evaluated: int
    failed: int


@dataclass(frozen=True)
class GatedLoad:
    """What the gate found: every rule, and the records that it holds back (None once merged: staging is empty then)."""

    load: Load
    rules: tuple[RuleView, ...]
    rejected: int | None
    blocked: int | None
    rejected_children: int | None

    @property
    def lines(self) -> list[str]:
        failed = [rule for rule in self.rules if rule.failed]
        used = sum(rule.evaluated > 0 for rule in self.rules)
        lines = [f"Đã kiểm tra chất lượng {_named(self.load)}: {_verdict(used, len(failed))}."]
        if self.rejected is not None and self.blocked is not None and self.rejected_children is not None:
            record = _kind_of(rule.entity for rule in self.rules).title_vi
            lines.append(
                f"{record[:1].upper()}{record[1:]} bị cách ly: {grouped(self.rejected)}, "
                f"bị chặn gửi: {grouped(self.blocked)}; bản ghi con bị cách ly: {grouped(self.rejected_children)}."
            )
        return lines + [
            f"{labels.GATE_SEVERITIES[rule.severity]} ({rule.rule_id}): {rule.title}: {grouped(rule.failed)} trong "
            f"{grouped(rule.evaluated)} {labels.ENTITIES[rule.entity].lower()}."
            for rule in failed
        ]


def read_opened(connection: Connection, load_id: int, *, collapse_accepted: bool) -> OpenedLoad:
    """Which load was opened, what it reads, and how far the source was read before."""
    load = ledger.read_load(connection, load_id)
    marks = run(connection, "ops/read_watermarks", tenant=load.tenant, source_id=load.source_id).all()
    read_until = max((mark.modified_at for mark in marks if mark.modified_at is not None), default=None)
    return OpenedLoad(load, read_until, collapse_accepted)


def read_gated(connection: Connection, load_id: int) -> GatedLoad:
    """Rules passed and failed, and what is held back."""
    load = ledger.read_load(connection, load_id)
    rows = run(connection, "quality/read_gate_results", tenant=load.tenant, load_id=load_id).all()
    counts = run(connection, of_kind(load.kind, "count_rejected"), tenant=load.tenant, load_id=load_id).one()
    staged = load.state is LoadState.GATED  # once merged, what was staged is gone
    return GatedLoad(
        load,
        tuple(RuleView(row.entity, row.rule_id, row.severity, row.title_vi, row.evaluated, row.failed) for row in rows),
        counts.rejected if staged else None,
        counts.blocked if staged else None,
        counts.rejected_children if staged else None,
    )


def merged_lines(result: Mapping[str, object]) -> list[str]:
    """What became of the rows of a load, by entity and outcome."""
    counts = cast("Mapping[str, Mapping[str, int]]", result["counts"])
    named = f"lần nạp {result['load_id']} của nguồn {result['source_id']}"
    kind = _kind_of(counts)
    roots = counts.get(kind.root.entity, {})
    changed = any(found["inserted"] or found["updated"] for found in counts.values())
    lines = [
        f"Đã nạp xong {named}: {grouped(roots.get('inserted', 0))} {kind.title_vi} thêm mới, "
        f"{grouped(roots.get('updated', 0))} cập nhật, {grouped(roots.get('quarantined', 0))} cách ly."
        if changed
        else f"Đã nạp xong {named}: không có gì mới hoặc thay đổi."
    ]
    for entity in in_order(counts):
        outcomes = (
            f"{_inline(label)} {grouped(counts[entity][outcome])}"
            for outcome, label in labels.OUTCOMES.items()
            if outcome in counts[entity]
        )
        lines.append(f"{labels.ENTITIES[entity]}: {', '.join(outcomes)}.")
    return lines


def _named(load: Load) -> str:
    return f"lần nạp {load.load_id} của nguồn {load.source_id} ({load.tenant})"


def _of(load: Load) -> str:
    return f"{load.source_id} ({load.tenant}), lần nạp {load.load_id}"


def _by_entity(rows: Mapping[str, int]) -> str:
    """`301 hồ sơ, 1.322 bước xử lý, …`; every entity is named, with 0 where there is none."""
    entities = _kind_of(rows).entity_names
    return ", ".join(f"{grouped(rows.get(entity, 0))} {labels.ENTITIES[entity].lower()}" for entity in entities)


def _kind_of(entities: Iterable[str]) -> KindSpec:
    """The kind of some entities; of none at all it is told as of the first kind."""
    return next((kind_of_entity(entity) for entity in entities), next(iter(KINDS.values())))


def _verdict(used: int, failed: int) -> str:
    if not used:
        return "không có bản ghi mới hoặc thay đổi để kiểm tra"
    return f"{grouped(used - failed)} quy tắc đạt, {grouped(failed)} quy tắc không đạt"


def _inline(label: str) -> str:
    """A heading that is broken over lines, inside a sentence."""
    return label.replace("\n", " ").lower()
