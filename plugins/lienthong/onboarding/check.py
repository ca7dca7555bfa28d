"""`source check`: everything an engineer wants to know of a source before its first load, without loading anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lienthong.model.errors import ContractError, LienThongError
from lienthong.onboarding.lines import CheckReport, Line, good, problem, warning
from lienthong.onboarding.reach import connect_lines, unreachable
from lienthong.onboarding.sample import sample_lines
from lienthong.onboarding.source import source_lines
from lienthong.onboarding.tenant import tenant_line
from lienthong.pipeline.runtime import Runtime
from lienthong.sources.contract import SourceContract, read_contracts
from lienthong.sources.profiles import profile_of
from lienthong.sources.system import Look

#: Dossiers of a sample: enough to meet the words of a system, few enough to be read in seconds.
SAMPLE = 200


def check(
    rt: Runtime, source_id: str, sample: int = SAMPLE, on_line: Callable[[Line], None] = lambda line: None
) -> CheckReport:
    """Look at a source and rehearse a load of its newest `sample` dossiers; `on_line` gets each line as it is known.

    Reads the source gently and leaves the warehouse and landing as they were. Problems are lines, not exceptions.
    """
    started = rt.now()
    lines = []
    for line in _lines(rt, source_id, sample):
        on_line(line)
        lines.append(line)
    return CheckReport(source_id, started, tuple(lines))


def _lines(rt: Runtime, source_id: str, sample: int) -> Iterator[Line]:
    try:
        contract = rt.lone_contract(source_id)
    except ContractError as error:
        yield problem("contract", f"Hợp đồng của nguồn không dùng được: {error.what}", error.next_step)
        return
    yield _contract_line(rt, contract)
    yield tenant_line(rt, contract)
    connection, lines = connect_lines(rt, contract.connection)
    yield from lines
    if connection is None:
        return
    profile = profile_of(contract)
    if not isinstance(profile, Look):
        text = f"Loại hệ thống {contract.profile} không xem trước được: chưa kiểm tra quyền, cột, khối lượng, đồng hồ."
        yield warning("reach", text, f"nạp thử: lienthong load {source_id}, rồi xem lienthong status {source_id}.")
        return
    try:
        sight = profile.look(contract, connection, rt.now)
    except LienThongError as error:
        yield unreachable(contract, error)
        return
    yield from source_lines(contract, sight, rt.now())
    if sight.missing or sight.unreadable:
        yield problem(
            "sample", "Chưa lấy mẫu: thiếu bảng, cột hoặc quyền đọc.", "sửa các dòng ✗ ở trên rồi kiểm tra lại."
        )
        return
    if sample:
        yield from sample_lines(rt, contract, connection, sample)


def _contract_line(rt: Runtime, contract: SourceContract) -> Line:
    """The contract is valid by itself; it may still clash with another of the folder."""
    sent = contract.section.delivery
    mode = f"chế độ {sent.mode.value}" if sent else "không gửi đi"
    what = (
        f"Hợp đồng hợp lệ: {contract.title} ({contract.tenant}, {contract.profile}, {contract.kind.title_vi}, {mode})."
    )
    for error in read_contracts(rt.settings.sources).errors:
        if error.source == contract.source_id or repr(contract.source_id) in error.what:
            return problem("contract", f"Hợp đồng hợp lệ nhưng trùng với hợp đồng khác: {error.what}", error.next_step)
    data = {"tenant": contract.tenant, "profile": contract.profile, "kind": contract.kind.name}
    return good("contract", what, **data, mode=sent.mode.value if sent else None)


__all__ = ["SAMPLE", "CheckReport", "check"]
