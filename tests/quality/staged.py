"""Rows put straight into staging, and the gate run on them: what every test of the gate starts from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.quality.gate import GateReport, run_gate
from lienthong.quality.quarantine import apply_gate
from lienthong.settings import PROJECT
from lienthong.warehouse import ledger
from lienthong.warehouse.staging import digest_staged

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
TENANT, SOURCE = "H17", "h17_opencps"
COMMON = {"tenant": TENANT, "source_id": SOURCE, "landing_part": 0, "type_errors": None}


def dossier(source_key: str | None, **changes: Any) -> dict[str, Any]:
    """A dossier that no rule objects to, but for `changes`."""
    return COMMON | {
        "source_key": source_key,
        "dossier_code": "H17.05-261001-0001",
        "procedure_code": "1.000001",
        "procedure_name": "Đăng ký khai sinh",
        "agency_code": "H17.05",
        "agency_name": "Sở Tư pháp",
        "status": 4,
        "channel": 2,
        "subject_type": 1,
        "submitted_at": NOON - timedelta(days=4),
        "received_at": NOON - timedelta(days=3),
        "due_at": NOON + timedelta(days=2),
        "finished_at": None,
        "returned_at": None,
        "applicant_name": "Nguyễn Văn An",
        "applicant_id_number": "048190001234",
        "applicant_phone": "0905123456",
        "applicant_email": "an.nguyen@example.vn",
        "applicant_address": "12 Bạch Đằng",
        "abstract": "Xin cấp bản sao trích lục",
        "was_not_nfc": False,
        **changes,
    }


def step(source_key: str | None, child_key: str | None, **changes: Any) -> dict[str, Any]:
    return COMMON | {
        "source_key": source_key,
        "child_key": child_key,
        "status": 4,
        "occurred_at": NOON - timedelta(days=1),
        "actor_name": "Trần Thị Bình",
        "content": "Chuyển chuyên viên thụ lý",
        **changes,
    }


def document(source_key: str | None, child_key: str | None, **changes: Any) -> dict[str, Any]:
    return COMMON | {
        "source_key": source_key,
        "child_key": child_key,
        "role": "component",
        "has_file": True,
        "removed": False,
        "name": "Giấy khai sinh Lê Thị Cúc.pdf",
        "url": "https://tep.example.vn/le-thi-cuc.pdf",
        **changes,
    }


def fee(source_key: str | None, child_key: str | None, **changes: Any) -> dict[str, Any]:
    return COMMON | {"source_key": source_key, "child_key": child_key, "amount": 50_000, **changes}


def prepare(engine: Engine) -> None:
    """A tenant, one agency and three procedures: in force, retired, vanished."""
    with engine.begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant(:tenant)"), {"tenant": TENANT})
        connection.execute(
            text(
                "INSERT INTO registry.agency (agency_code, tenant, name, level) VALUES "
                "('H17.05', 'H17', 'Sở Tư pháp', 'department'), ('H26.05', 'H26', 'Sở Tư pháp', 'department')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO registry.procedure (procedure_code, name, active, vanished, returns_paper, has_fee, "
                "detail_hash, revision) VALUES ('1.000001', 'a', true, false, true, false, '', 1), "
                "('1.000002', 'b', false, false, true, false, '', 1), ('1.000003', 'c', true, true, true, false, '', 1)"
            )
        )


def open_load(engine: Engine, run_key: str, mode: str = "incremental", tenant: str = TENANT) -> int:
    """A load whose data was read at NOON."""
    with engine.begin() as connection:
        query = text(
            "INSERT INTO ops.load (tenant, source_id, run_key, mode, contract_hash, opened_at, observed_at) "
            "VALUES (:tenant, :source, :run_key, :mode, '', :noon, :noon) RETURNING load_id"
        )
        values = {"tenant": tenant, "source": SOURCE, "run_key": run_key, "mode": mode, "noon": NOON}
        return int(connection.execute(query, values).scalar_one())


def stage(engine: Engine, load_id: int, **rows: list[dict[str, Any]]) -> None:
    """Put rows of dossier=, step=, document=, fee= into staging, numbered from 0 in their order."""
    with engine.begin() as connection:
        for table, values in rows.items():
            for number, row in enumerate(values):
                numbered = row | {"load_id": load_id, "row_no": number, "landing_row": number}
                names = ", ".join(numbered)
                places = ", ".join(f":{name}" for name in numbered)
                connection.execute(text(f"INSERT INTO staging.{table} ({names}) VALUES ({places})"), numbered)
        scope = {"tenant": TENANT, "load_id": load_id}
        connection.execute(text("DELETE FROM staging.digest WHERE tenant = :tenant AND load_id = :load_id"), scope)
        digest_staged(connection, DOSSIER_KIND, TENANT, load_id)


def gate(engine: Engine, load_id: int, tenant: str = TENANT) -> GateReport:
    return run_gate(engine, kind=DOSSIER_KIND, tenant=tenant, source_id=SOURCE, load_id=load_id, now=NOON, home=PROJECT)


def apply(engine: Engine, load_id: int) -> None:
    """What merge does with the gate's findings, in a transaction of its own."""
    with engine.begin() as connection:
        load = ledger.read_load(connection, load_id)
        landed = replace(load, manifest_url=f"memory://landing/{load_id}/manifest.json")
        apply_gate(connection, landed, NOON + timedelta(minutes=load_id))


def load(engine: Engine, run_key: str, mode: str = "incremental", **rows: list[dict[str, Any]]) -> int:
    """A whole load as far as the gate is concerned: staged, judged, applied, cleared."""
    load_id = open_load(engine, run_key, mode)
    stage(engine, load_id, **rows)
    gate(engine, load_id)
    apply(engine, load_id)
    with engine.begin() as connection:
        for table in ("dossier", "step", "document", "fee", "violation", "verdict"):
            connection.execute(text(f"DELETE FROM staging.{table} WHERE load_id = :load"), {"load": load_id})
    return load_id


def rows_of(where: Engine | Connection, query: str, **values: Any) -> list[tuple[Any, ...]]:
    if isinstance(where, Connection):
        return [tuple(row) for row in where.execute(text(query), values)]
    with where.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def violations(engine: Engine, load_id: int) -> list[tuple[Any, ...]]:
    """(entity, row_no, rule_id) of a load, sorted."""
    query = "SELECT entity, row_no, rule_id FROM staging.violation WHERE load_id = :load ORDER BY 1, 2, 3"
    return rows_of(engine, query, load=load_id)
