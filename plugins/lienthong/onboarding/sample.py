"""The lines of a check about a sample: what the mapping makes of it, and what the gate would do. Nothing is loaded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from psycopg2 import OperationalError
from sqlalchemy.exc import DBAPIError

from lienthong.connections import WAREHOUSE, Connection, Role, warehouse_connection
from lienthong.model.codes import Severity
from lienthong.model.errors import ContractError, LienThongError, NotReadyError
from lienthong.model.kinds import ENTITIES
from lienthong.model.masking import mask_word
from lienthong.model.numbers import grouped
from lienthong.onboarding.lines import Line, good, problem, warning
from lienthong.onboarding.reach import unreachable
from lienthong.onboarding.tenant import agencies_line
from lienthong.pipeline.runtime import Runtime
from lienthong.sources.profiles import profile_of
from lienthong.sources.scaffold_sample import sampled
from lienthong.sources.system import Sample

if TYPE_CHECKING:
    from lienthong.landing import LandedBatch
    from lienthong.onboarding.rehearsal import Rehearsal
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.system import System

#: When so many of the sample would be rejected, the mapping is wrong, not the data.
TOO_MANY_REJECTED = 0.5
_WORDS_SHOWN = 8
_KINDS = {
    "status": "Trạng thái hồ sơ (codes.status)",
    "substatus": "Trạng thái phụ (codes.substatus)",
    "step": "Bước xử lý (codes.step)",
    "channel": "Kênh tiếp nhận (codes.channel)",
    "subject": "Loại đối tượng (codes.subject)",
    "return_method": "Hình thức trả kết quả (codes.return_method)",
    "payment_method": "Hình thức thanh toán (codes.payment_method)",
    "payment_status": "Trạng thái thanh toán (codes.paid)",
    "document_role": "Loại giấy tờ (codes.document_role)",
    "originality": "Loại hồ sơ (codes.originality)",
    "procedure": "Mã thủ tục của địa phương",
    "service": "Dịch vụ chưa có mã quốc gia",
}
#: Entity → its fields that the index (766) is computed from → what they are called.
_INDEX_FIELDS = {
    "dossier": {
        "vneid_verified": "tài khoản đã xác thực VNeID",
        "has_digitised_component": "có thành phần số hóa",
        "database_codes": "cơ sở dữ liệu đã kết nối",
        "online_payment": "thanh toán trực tuyến",
        "channel": "kênh tiếp nhận",
        "received_at": "ngày tiếp nhận",
        "due_at": "ngày hẹn trả",
    },
    "petition": {
        "classification": "loại phản ánh, kiến nghị",
        "sent_at": "ngày gửi",
        "transferred_at": "ngày chuyển",
        "answered_at": "ngày trả lời",
        "published_at": "ngày công khai",
    },
    "rating": {"satisfaction": "mức hài lòng", "rated_at": "ngày đánh giá"},
}
#: Those of them that a word of the source must be mapped for → the section of `codes`.
_CODED = {"online_payment": "payment_method", "channel": "channel"}
#: Kinds that are counts, not words: what is said of them, and what to do.
_COUNTED = {
    "set_aside": (
        "{} hồ sơ của mẫu có trong danh sách nhưng dịch vụ chi tiết không tìm thấy.",
        "hỏi đơn vị vận hành: hồ sơ vừa bị xoá, hay tài khoản chưa được xem chi tiết?",
    ),
    "removed": (
        "{} hồ sơ của mẫu đã bị xóa ở nguồn (trong thùng rác): được lưu nhưng không có trạng thái nên không gửi.",
        "đúng như vậy thì không cần làm gì; nếu không, sửa codes.originality trong hợp đồng.",
    ),
    "left_out": (
        "{} hồ sơ của mẫu là hồ sơ nhóm: được lưu nhưng không có trạng thái nên không gửi.",
        "hỏi tỉnh; nếu phải gửi, đặt là live trong codes.originality của hợp đồng.",
    ),
    "zero_date": (
        "{} ngày của mẫu là 0000-00-00 (MySQL: không có ngày): được đọc là trống.",
        "không cần làm gì, trừ khi nguồn lẽ ra phải có ngày.",
    ),
}
#: Kinds that a contract has no section for.
_LOCAL = ("procedure", "service")
_SEVERITIES = {Severity.REJECT: "Cách ly", Severity.BLOCK: "Chặn gửi", Severity.WARN: "Cảnh báo"}
_UNKNOWN = {
    "procedure_known": "Mã thủ tục không có trong danh mục quốc gia",
    "procedure_not_retired": "Mã thủ tục đã bị bãi bỏ",
    "agency_known": "Mã cơ quan không có trong danh mục",
}


def sample_lines(rt: Runtime, contract: SourceContract, connection: Connection, dossiers: int) -> list[Line]:
    """Read, map and gate the newest `dossiers` dossiers; the landed sample is gone when this returns."""
    profile = profile_of(contract)
    if not isinstance(profile, Sample):
        text = f"Loại hệ thống {contract.profile} không đọc được mẫu: chưa thử ánh xạ và kiểm tra chất lượng."
        return [warning("sample", text, f"nạp thử: lienthong load {contract.source_id}, rồi xem lienthong status.")]
    try:
        with sampled(profile.sample, contract, connection, dossiers) as batch:
            return [*_mapping_lines(contract, profile, batch), *_gate_lines(rt, contract, profile, batch)]
    except LienThongError as error:
        return [unreachable(contract, error)]


def _mapping_lines(contract: SourceContract, profile: System, batch: LandedBatch) -> list[Line]:
    rows: Counter[str] = Counter()
    root = contract.kind.root.entity
    needed = _INDEX_FIELDS.get(root, {})
    errors: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    agencies: Counter[str] = Counter()
    for entity, table in profile.canonicalise(contract, batch):
        rows[entity] += table.num_rows
        if entity == root:
            for name in needed:
                filled[name] += table.num_rows - table.column(name).null_count
            agencies.update(code for code in table.column(contract.kind.agency).to_pylist() if code)
        for names in table.column("type_errors").to_pylist():
            errors.update(f"{entity}.{name}" for name in names or ())
    if not rows[root]:
        nothing = f"Không có {contract.kind.title_vi} nào để lấy mẫu."
        return [warning("sample", nothing, "kiểm tra có đúng cơ sở dữ liệu không.", rows={})]
    shown = ", ".join(f"{grouped(rows[entity])} {ENTITIES[entity].title_vi}" for entity in rows)
    lines = [good("sample", f"Mẫu đọc được: {shown}.", rows={str(entity): amount for entity, amount in rows.items()})]
    if foreign := agencies_line(contract, agencies):
        lines.append(foreign)
    if errors:
        listed = ", ".join(f"{name} ({grouped(amount)})" for name, amount in errors.most_common(_WORDS_SHOWN))
        lines.append(
            warning("types", f"Giá trị sai kiểu: {listed}.", "sửa ở nguồn, hoặc sửa ánh xạ cột.", fields=dict(errors))
        )
    if empty := {name: label for name, label in needed.items() if not filled[name]}:
        lines.append(_never_filled(contract, empty))
    return lines + _word_lines(contract, profile, batch)


def _never_filled(contract: SourceContract, empty: dict[str, str]) -> Line:
    """Only a warning: not every source has them all."""
    listed = ", ".join(f"{name} ({label})" for name, label in empty.items())
    sections = [f"codes.{_CODED[name]}" for name in empty if name in _CODED]
    words = f"; điền đủ {' và '.join(sections)}" if sections else ""
    return warning(
        "never_filled",
        f"Không {contract.kind.title_vi} nào trong mẫu có giá trị ở trường cần để tính chỉ số 766: {listed}.",
        f"nếu nguồn có, ánh xạ trong `fields` hoặc `extensions` của {contract.source_id}.yaml{words}; "
        "nếu nguồn không có, các chỉ số liên quan có thể bị thiếu điểm.",
        fields=list(empty),
    )


def _word_lines(contract: SourceContract, profile: System, batch: LandedBatch) -> list[Line]:
    by_kind: dict[str, list[tuple[str, int]]] = {}
    for code in profile.unmapped_codes(contract, batch):
        by_kind.setdefault(code.kind, []).append((code.word, code.rows))
    lines: list[Line] = []
    for kind, (said, next_step) in _COUNTED.items():
        if found := by_kind.pop(kind, []):
            amount = sum(rows for _, rows in found)
            lines.append(warning(kind, said.format(grouped(amount)), next_step, dossiers=amount, names=dict(found)))
    for kind, words in by_kind.items():
        listed = ", ".join(f"{word} ({grouped(amount)} hàng)" for word, amount in words[:_WORDS_SHOWN])
        more = f" và {len(words) - _WORDS_SHOWN} từ khác" if len(words) > _WORDS_SHOWN else ""
        lines.append(
            warning(
                "codes",
                f"{_KINDS.get(kind, kind)}: {len(words)} từ chưa ánh xạ trong mẫu: {listed}{more}.",
                "ánh xạ sang mã quốc gia trong bảng ánh xạ thủ tục của hệ thống nguồn."
                if kind in _LOCAL
                else f"điền vào codes trong {contract.source_id}.yaml, hoặc vào bảng ánh xạ của hệ thống nguồn.",
                kind=kind,
                words=dict(words),
            )
        )
    if not by_kind:
        lines.append(good("codes", "Mọi từ trong mẫu đều đã được ánh xạ."))
    return lines


def _gate_lines(rt: Runtime, contract: SourceContract, profile: System, batch: LandedBatch) -> list[Line]:
    try:
        warehouse = warehouse_connection(rt.resolve, Role.LOADER)
    except ContractError:
        return [
            warning(
                "gate",
                "Chưa có kết nối kho dữ liệu: bỏ qua phần kiểm tra chất lượng và danh mục thủ tục, cơ quan.",
                f"đặt AIRFLOW_CONN_{WAREHOUSE.upper()} rồi kiểm tra lại để có đủ kết quả.",
            )
        ]
    from lienthong.onboarding.rehearsal import rehearse

    try:
        found = rehearse(
            warehouse.sqlalchemy_url(), contract, profile, batch, now=rt.now(), home=rt.settings.home
        )  # fmt: skip
    except NotReadyError:
        return [
            warning(
                "gate",
                "Kho chưa có danh mục thủ tục hành chính: bỏ qua phần kiểm tra chất lượng.",
                "chạy `lienthong catalogue` rồi kiểm tra lại.",
            )
        ]
    except LienThongError as error:
        return [problem("gate", f"Không kiểm tra được mẫu trên kho: {error.what}", error.next_step)]
    except DBAPIError as error:
        return [_warehouse_trouble(error)]
    except OperationalError as error:
        return [_warehouse_away(type(error).__name__)]
    return [*_verdict_lines(contract, found), *_catalogue_lines(found)]


def _warehouse_trouble(error: DBAPIError) -> Line:
    code = getattr(error.orig, "pgcode", None)
    if code == "55P03":
        return warning(
            "gate",
            "Kho đang nạp dữ liệu của tỉnh này nên chưa kiểm tra được mẫu.",
            "chạy lại sau khi lần nạp xong.",
        )
    if code in ("42P01", "3F000", "42883"):
        return problem("gate", "Kho chưa có bảng cần dùng.", "chạy `lienthong migrate` rồi kiểm tra lại.")
    return _warehouse_away(type(error.orig).__name__)


def _warehouse_away(kind: str) -> Line:
    return problem(
        "gate", f"Kho dữ liệu không trả lời ({kind}).", f"kiểm tra kết nối {WAREHOUSE} và kho có đang chạy không."
    )


def _verdict_lines(contract: SourceContract, found: Rehearsal) -> list[Line]:
    counts = {"dossiers": found.dossiers, "rejected": found.rejected, "blocked": found.blocked, "warned": found.warned}
    text = (
        f"Nếu nạp mẫu này: {grouped(found.dossiers)} {contract.kind.title_vi}, cách ly {grouped(found.rejected)}, "
        f"chặn gửi {grouped(found.blocked)}, có cảnh báo {grouped(found.warned)}. Không có gì được nạp."
    )
    if found.dossiers and found.rejected >= TOO_MANY_REJECTED * found.dossiers:
        verdict = problem("gate", text, "phần lớn bị cách ly: thường do ánh xạ sai, không do dữ liệu.", **counts)
    elif found.rules:
        verdict = warning("gate", text, "xem từng quy tắc dưới đây.", **counts)
    else:
        verdict = good("gate", text, **counts)
    lines = [verdict]
    for rule in found.rules:
        lines.append(
            warning(
                "rule",
                f"{_SEVERITIES[rule.severity]}: {rule.title_vi}: "
                f"{grouped(rule.rows)} {ENTITIES[rule.entity].title_vi}.",
                rule.explanation_vi,
                rule_id=rule.rule_id,
                entity=rule.entity,
                severity=rule.severity.value,
                rows=rule.rows,
            )
        )
    return lines


def _catalogue_lines(found: Rehearsal) -> list[Line]:
    lines: list[Line] = []
    for rule_id, label in _UNKNOWN.items():
        codes: Counter[str] = Counter()
        for code in found.unknown:
            if code.rule_id == rule_id:
                codes[mask_word(code.code or "") or "(trống)"] += code.dossiers
        if codes:
            first = list(codes.items())[:_WORDS_SHOWN]
            listed = ", ".join(f"{code} ({grouped(amount)} hồ sơ)" for code, amount in first)
            more = f" và {len(codes) - _WORDS_SHOWN} mã khác" if len(codes) > _WORDS_SHOWN else ""
            lines.append(
                warning(
                    "catalogue",
                    f"{label}: {listed}{more}.",
                    "chạy `lienthong catalogue` nếu danh mục đã cũ; nếu không, sửa mã hoặc bảng ánh xạ ở nguồn.",
                    rule_id=rule_id,
                    codes=dict(codes),
                )
            )
    return lines or [good("catalogue", "Mọi mã thủ tục và cơ quan trong mẫu đều có trong danh mục.")]
