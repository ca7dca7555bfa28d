"""A simulated province, read and canonicalised, says what the simulator knows to be true."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from simulator.opencps.advance import advance
from simulator.opencps.install import install
from simulator.world import World
from tests.sources.conftest import Province

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
Rows = dict[Entity, list[dict[str, Any]]]


def wire_time(instant: datetime | None) -> str:
    return instant.astimezone(ZONE).strftime("%Y%m%d%H%M%S") if instant else ""


def word(value: object) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def as_wire(row: dict[str, Any]) -> dict[str, Any]:
    """A canonical dossier in the words of the simulator's ledger."""
    return {
        "MaHoSo": word(row["dossier_code"]),
        "MaTTHC": word(row["procedure_code"]),
        "TenTTHC": row["procedure_name"],
        "ChuHoSo": row["applicant_name"],
        "SoGiayToChuHoSo": row["applicant_id_number"],
        "LoaiDoiTuong": word(row["subject_type"]),
        "Email": word(row["applicant_email"]),
        "SoDienThoai": word(row["applicant_phone"]),
        "TrichYeuHoSo": row["abstract"],
        "NgayNopHoSo": wire_time(row["submitted_at"]),
        "NgayTiepNhan": wire_time(row["received_at"]),
        "NgayHenTra": wire_time(row["due_at"]),
        "TrangThaiHoSo": word(row["status"]),
        "NgayTuChoi": wire_time(row["refused_at"]),
        "NgayKetThucXuLy": wire_time(row["finished_at"]),
        "NgayTra": wire_time(row["returned_at"]),
        "HinhThuc": word(row["return_method"]),
        "DonViXuLy": row["agency_name"],
        "KenhThucHien": word(row["channel"]),
        "HoSoCoThanhPhanSoHoa": word(row["has_digitised_component"]),
        "TaiKhoanDuocXacThucVoiVNeID": word(row["vneid_verified"]),
        "DuocThanhToanTrucTuyen": word(row["online_payment"]),
        "DSKetNoiCSDL": [{"MaCSDL": code} for code in row["database_codes"] or []],
    }


def children(rows: Rows, entity: Entity) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows[entity]:
        found[row["source_key"]].append(row)
    return found


def composed(truth: dict[str, Any]) -> dict[str, Any]:
    """The portal's own catalogue has decomposed names; our records are NFC."""
    return {
        name: unicodedata.normalize("NFC", value) if isinstance(value, str) else value for name, value in truth.items()
    }


def check(rows: Rows, world: World) -> int:
    """Compare every dossier without a fault; returns how many there were."""
    dossiers = {row["source_key"]: row for row in rows[Entity.DOSSIER]}
    steps, documents, fees = (children(rows, entity) for entity in (Entity.STEP, Entity.DOCUMENT, Entity.FEE))
    checked = 0
    for entry in world.ledger("H17"):
        key = str(entry.dossier_id)
        if not entry.clean or key not in dossiers:
            continue
        found = as_wire(dossiers[key])
        assert found == composed({name: entry.truth[name] for name in found})
        ordered = sorted(steps[key], key=lambda row: row["step_no"])
        assert [
            (
                row["actor_name"],
                wire_time(row["occurred_at"]),
                row["content"],
                word(row["status"]),
                wire_time(row["due_at"]),
            )
            for row in ordered
        ] == [
            (s["NguoiXuLy"], s["ThoiDiemXuLy"], s["NoiDungXuLy"], s["TrangThai"], s["NgayKetThucTheoQuyDinh"])
            for s in entry.steps
        ]
        assert [
            (row["name"], word(row["component_code"]), row["url"], "True" if row["removed"] else "False",
             word(row["digitised"]), word(row["reuse"]), word(row["from_citizen_store"]))
            for row in documents[key] if row["role"] == "component"
        ] == [
            (d["TenTepDinhKem"], d["MaThanhPhanHoSo"], d["DuongDanTaiTepTin"], d["IsDeleted"], d["DuocSoHoa"],
             d["DuocTaiSuDung"], d["DuocLayTuKhoDMQG"])
            for d in entry.truth["TaiLieuNop"]
        ]  # fmt: skip
        results = entry.truth["DanhSachGiayToKetQua"]
        assert [(row["name"], row["url"], row["result_code"]) for row in documents[key] if row["role"] == "result"] == [
            (d["TenGiayTo"], d["DuongDanTepTinKetQua"], d["MaGiayToKetQua"]) for d in results
        ]
        assert [(row["name"], str(row["amount"])) for row in fees[key]] == [
            (fee["TenPhiLePhi"], fee["Gia"]) for fee in entry.truth["DanhSachLePhi"]
        ]
        checked += 1
    return checked


@pytest.fixture
def world() -> World:
    return World.generate(11, 400, provinces=("H17",))


@pytest.fixture
def simulated(contract: SourceContract, tmp_path: Path) -> Iterator[Callable[[World, str], Province]]:
    """Installs a world into a database."""
    made: list[Province] = []

    def build(world: World, url: str) -> Province:
        made.append(Province(url, contract, tmp_path))
        install(world, "H17", url)
        return made[-1]

    yield build
    for province in made:
        province.engine.dispose()


def test_every_sound_dossier_equals_the_truth_field_by_field(
    world: World, new_database: Callable[..., str], simulated: Callable[[World, str], Province]
) -> None:
    province = simulated(world, new_database("sim"))
    batch = province.load()
    assert batch.manifest.facts.unmapped_columns == {}
    rows = province.canonical(batch)
    assert check(rows, world) > 300
    defects = {entry.defects[0]: str(entry.dossier_id) for entry in world.ledger("H17") if entry.defects}
    by_key = {row["source_key"]: row for row in rows[Entity.DOSSIER]}
    assert by_key[defects["nfd_text"]]["was_not_nfc"] is True
    assert by_key[defects["unknown_status"]]["status"] is None
    assert defects["orphan_child"] not in by_key
    assert any(row["source_key"] == defects["orphan_child"] for row in rows[Entity.STEP])
    assert not any(row["type_errors"] for kind in rows.values() for row in kind)


def test_the_next_load_brings_everything_that_moved_meanwhile(
    world: World, new_database: Callable[..., str], simulated: Callable[[World, str], Province]
) -> None:
    province = simulated(world, new_database("sim"))
    province.load()
    for move in range(3):
        changes = advance(world, "H17", province.url, seed=move, changes=20)
        rows = province.canonical(province.load())
        assert {str(change.dossier_id) for change in changes} <= {row["source_key"] for row in rows[Entity.DOSSIER]}
        assert check(rows, world) >= 20
