"""DongBoHoSoMC, CapNhatTienDoHoSoMC and TraCuuHoSo (portal-exchange §2)."""

from __future__ import annotations

from typing import Any

from simulator.portal.checks import LISTS, dossier_error, province_of, refusal, step_error
from simulator.portal.state import Account, Portal

Answer = dict[str, Any]
_OK_CODES: tuple[int | str, ...] = ("0", 0, "00")
_EXISTS_CODES: tuple[int | str, ...] = ("-3", "3", "0")
#: Our name for the list of steps in a hit of TraCuuHoSo; none was ever seen.
STEPS_FIELD = "DanhSachTienTrinh"


class _BatchRefused(Exception):
    """Undoes what a batch has written so far; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def failure(portal: Portal, message: str) -> Answer:
    """An answer of the unverified kind "other codes"."""
    return {"error_code": portal.switches.error_code, "message": message}


def sync(portal: Portal, account: Account, body: dict[str, Any], call: int) -> Answer:
    """Create (isUpdating "False") or update ("True") the dossiers of `data`."""
    records, updating = body.get("data"), body.get("isUpdating")
    if updating not in ("True", "False"):
        return failure(portal, 'isUpdating phải là chuỗi "True" hoặc "False"')
    problem = _batch_problem(portal, records)
    if problem or not isinstance(records, list):
        return failure(portal, problem or "")
    refused: list[Answer] = []
    try:
        with portal.store.writing():
            for record in records:
                wrong = _verdict(portal, account, record, updating == "True", call)
                if wrong is None:
                    _keep(portal, account, record, call)
                    continue
                refused.append(_named(portal, record, wrong, len(records)))
                if portal.switches.bad_record_fails_batch:
                    raise _BatchRefused(refused[0])
    except _BatchRefused as undone:
        return undone.answer
    if len(refused) == len(records):
        return refused[0]
    if refused:
        return {"error_code": "0", "message": f"Đồng bộ thành công {len(records) - len(refused)}/{len(records)} hồ sơ"}
    return {"error_code": _OK_CODES[call % 3], "message": "Đồng bộ thành công"}


def progress(portal: Portal, account: Account, body: dict[str, Any], call: int) -> Answer:
    """Append progress steps. Without `progress_dedup` a step sent twice is held twice."""
    records = body.get("data")
    problem = _batch_problem(portal, records)
    if problem or not isinstance(records, list):
        return failure(portal, problem or "")
    if not portal.switches.progress_mixes_dossiers and len({_code(record) for record in records}) > 1:
        return failure(portal, "Mỗi lần gọi chỉ được cập nhật tiến độ của một hồ sơ")
    refused: list[Answer] = []
    try:
        with portal.store.writing():
            for record in records:
                message = step_error(record) or _step_owner_error(portal, account, record)
                if message is None:
                    _add(portal, account, record, call)
                    continue
                refused.append(_named(portal, record, failure(portal, message), len(records)))
                if portal.switches.bad_record_fails_batch:
                    raise _BatchRefused(refused[0])
    except _BatchRefused as undone:
        return undone.answer
    if len(refused) == len(records):
        return refused[0]
    return {"error_code": 0, "message": "Cập nhật tiến độ thành công"}


def lookup(portal: Portal, account: Account, body: dict[str, Any]) -> Answer:
    """TraCuuHoSo: `result` is empty when the sender has no such dossier here."""
    code = body.get("mahoso")
    if not isinstance(code, str) or not code:
        return failure(portal, "Thiếu tham số mahoso")
    found = portal.store.dossier(code)
    if found is None or found.sender != account.province:
        return {"error_code": 0, "message": "", "result": []}
    hit = {"empty": {}, "code": {"MAHOSO": code}, "full": found.body}[portal.switches.lookup_fields]
    if portal.switches.lookup_shows_steps:
        hit = hit | {STEPS_FIELD: [step.body for step in portal.store.steps(code)]}
    return {"error_code": 0, "message": "", "result": [hit]}


def _batch_problem(portal: Portal, records: object) -> str | None:
    if not isinstance(records, list) or not records:
        return "Thiếu dữ liệu data"
    limit = portal.switches.max_batch
    if limit and len(records) > limit:
        return f"Vượt quá số bản ghi cho phép trong một lần gọi ({limit})"
    return None


def _code(record: object) -> str | None:
    return str(record.get("MaHoSo")) if isinstance(record, dict) else None


def _named(portal: Portal, record: object, answer: Answer, batch: int) -> Answer:
    if batch > 1 and portal.switches.names_bad_record and isinstance(record, dict):
        return answer | {"message": f"{record.get('MaHoSo', '')}: {answer['message']}"}
    return answer


def _verdict(portal: Portal, account: Account, record: Any, updating: bool, call: int) -> Answer | None:
    """None when the record is taken, else the answer that says why not."""
    message = dossier_error(record, portal.switches)
    if message:
        return failure(portal, message)
    code = record["MaHoSo"]
    held = portal.store.dossier(code)
    if province_of(code) not in account.codes or (held and held.sender != account.province):
        return failure(portal, "Đơn vị không có quyền đồng bộ hồ sơ này")
    if held and not updating:
        return {"error_code": _EXISTS_CODES[call % 3], "message": "Hồ sơ đã tồn tại"}
    if updating and not held:
        return failure(portal, "Hồ sơ không tồn tại trên hệ thống")
    if portal.switches.reject_unknown_procedure and not _is_public(portal, record["MaTTHC"]):
        return failure(portal, "Mã thủ tục hành chính chưa được công bố hoặc đã hết hiệu lực")
    no = refusal(record)
    return {"error_code": "0", "message": no} if no else None


def _is_public(portal: Portal, code: str) -> bool:
    base = ".".join(code.split(".")[:2])
    return any(item.code == base and item.state == "active" for item in portal.catalogue.procedures)


def _keep(portal: Portal, account: Account, record: dict[str, Any], call: int) -> None:
    held = portal.store.dossier(record["MaHoSo"])
    if held and portal.switches.update_merges_children:
        lists = {
            name: [*held.body.get(name, []), *(item for item in record[name] if item not in held.body.get(name, []))]
            for name in LISTS
            if name in record
        }
        record = held.body | record | lists
    portal.store.put_dossier(record["MaHoSo"], account.province, record, call)


def _step_owner_error(portal: Portal, account: Account, record: dict[str, Any]) -> str | None:
    held = portal.store.dossier(record["MaHoSo"])
    if held is None:
        return "Hồ sơ không tồn tại trên hệ thống"
    return None if held.sender == account.province else "Đơn vị không có quyền cập nhật hồ sơ này"


def _add(portal: Portal, account: Account, record: dict[str, Any], call: int) -> None:
    code = record["MaHoSo"]
    if portal.switches.progress_dedup and any(step.body == record for step in portal.store.steps(code)):
        return
    portal.store.add_step(code, account.province, record, call)
