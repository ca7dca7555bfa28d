"""`source add`: look at a new source, write its first contract, say what is left to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lienthong.model.errors import ArgumentError
from lienthong.model.numbers import grouped
from lienthong.onboarding.scaffold import draft, scaffold, write_contract
from lienthong.onboarding.tenant import judge
from lienthong.pipeline.requests import TENANT_PATTERN
from lienthong.pipeline.runtime import Runtime
from lienthong.registry.tenants import refused
from lienthong.sources.contract import load_contract


@dataclass(frozen=True)
class Added:
    """The contract's file, and what to tell the person, in Vietnamese."""

    path: Path
    lines: tuple[str, ...]


def add_source(
    rt: Runtime, source_id: str, profile: str, tenant: str, connection: str | None = None, force: bool = False
) -> Added:
    """Write `<source_id>.yaml` into the folder of the contracts, from what the source shows; mode observe.

    ArgumentError when there is one already (without `force`), or for a tenant that is not written like one;
    ContractError for a name that can't be used, or a tenant that does not exist; other errors as a load of the source
    raises them. The source is read gently; of the warehouse, if there is one, only the registry, for a code that is no
    province's.
    """
    path = rt.settings.sources / f"{source_id}.yaml"
    if path.exists() and not force:
        raise ArgumentError(
            f"There is already a contract {path.name}.",
            next_step=f"check it with source check {source_id}, or write it anew with --force.",
            source=source_id,
        )
    _refuse_tenant(source_id, tenant)
    others = {name: contract for name, contract in rt.contracts().items() if name != source_id}
    first = draft(source_id, profile, tenant, connection or f"src_{source_id}", others, rt.settings.provinces)
    standing = judge(rt, tenant)
    if standing.known is False:
        raise refused(source_id, tenant, standing)
    made = scaffold(first, rt.resolve(first.connection), others, rt.now)
    write_contract(path, made.text, force)
    load_contract(path)
    rows = next((table.rows for table in made.sight.tables), None)
    seen = "rất nhiều" if rows is None else f"khoảng {grouped(rows)}"
    lines = [
        f"Đã xem {made.sight.server}: {seen} hồ sơ, {len(made.sight.tables)} bảng hoặc tài nguyên.",
        f"Đã viết {path}, chế độ observe (chỉ nạp, không gửi).",
        "",
        "Việc tiếp theo:",
    ]
    steps = []
    if made.open_words:
        steps.append(
            f"Điền mã cho {made.open_words} từ có ghi `chưa ánh xạ` (tìm trong "
            f"{made.proposal.looked_at} hồ sơ mới nhất), xem lại các dòng có CHECK."
        )
    else:
        steps.append("Xem lại các dòng có CHECK.")
    steps.append(f"Kiểm tra, chưa nạp gì: lienthong source check {source_id}")
    steps.append(f"Nạp lần đầu:           lienthong load {source_id}")
    lines += [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    return Added(path, tuple(lines))


def _refuse_tenant(source_id: str, tenant: str) -> None:
    """ArgumentError for what can't be a tenant's code, with the code that was probably meant."""
    if re.fullmatch(TENANT_PATTERN, tenant):
        return
    meant = tenant.strip().upper()
    raise ArgumentError(
        f"{tenant!r} is not the code of a tenant: one capital letter and two digits, e.g. H17.",
        next_step=f"type --tenant {meant}." if re.fullmatch(TENANT_PATTERN, meant) else "type it like --tenant H17.",
        source=source_id,
        key="tenant",
    )
