"""The provincial databases hold what the ledger says, in OpenCPS' columns and with OpenCPS' habits."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg2
import pytest

from simulator.defects import Defect
from simulator.ledger import Entry
from simulator.opencps import ChangeKind, Installation, advance, create_reader, install, installed
from simulator.world import World

Ask = Callable[..., list[dict[str, Any]]]

#: portal-exchange §6.1, word by word.
DOCUMENTED = {
    "opencps_dossier": (
        "dossierId referenceUid counter registerBookCode registerBookName processNo serviceCode serviceName "
        "govAgencyCode govAgencyName applicantName applicantIdType applicantIdNo applicantIdDate address cityCode "
        "cityName districtCode districtName wardCode wardName contactName contactTelNo contactEmail delegateType "
        "delegateName delegateIdNo delegateTelNo delegateEmail delegateAddress delegateCityCode delegateWardName "
        "documentNo documentDate dossierTemplateNo dossierTemplateName dossierNote submissionNote applicantNote "
        "briefNote dossierNo submitting processDate submitDate receiveDate dueDate extendDate releaseDate "
        "finishDate cancellingDate correcttingDate dossierStatus dossierStatusText dossierSubStatus "
        "dossierSubStatusText folderId dossierActionId viaPostal postalServiceCode postalServiceName postalAddress "
        "postalTelNo password_ notification online_ original serverNo endorsementDate lockState originality "
        "originDossierId sampleCount durationUnit durationCount dossierName originDossierNo groupDossierId "
        "metaData systemId dossierCounter vnpostalStatus vnpostalProfile fromViaPostal multipleCheck"
    ),
    "opencps_dossieraction": (
        "dossierActionId dossierId serviceProcessId previousActionId fromStepCode fromStepName fromSequenceNo "
        "actionCode actionUser actionName actionNote actionOverdue syncActionCode pending rollbackable stepCode "
        "stepName sequenceNo dueDate nextActionId payload stepInstruction state_ eventStatus"
    ),
    "opencps_paymentfile": (
        "paymentFileId dossierId referenceUid govAgencyCode govAgencyName paymentFee advanceAmount feeAmount "
        "serviceAmount shipAmount paymentAmount paymentNote epaymentProfile bankInfo paymentStatus paymentMethod "
        "confirmDatetime confirmPayload confirmFileEntryId confirmNote approveDatetime accountUserName "
        "govAgencyTaxNo invoiceTemplateNo invoiceIssueNo invoiceNo invoicePayload einvoice invoiceFileEntryId"
    ),
    "opencps_dossierfile": (
        "dossierFileId dossierId referenceUid dossierTemplateNo dossierPartNo dossierPartType fileTemplateNo "
        "displayName formData fileEntryId original eForm isNew removed signCheck signInfo formScript formReport "
        "formSchema deliverableCode"
    ),
    "opencps_serviceinfo": (
        "serviceCode serviceName processText methodText dossierText conditionText durationText applicantText "
        "resultText regularText feeText administrationCode administrationName administrationIndex domainCode "
        "domainName domainIndex maxLevel public_ govAgencyText isNotarization"
    ),
    "opencps_serviceconfig": (
        "serviceInfoId govAgencyCode serviceLevel serviceUrl forCitizen forBusiness postService registration"
    ),
    "opencps_serviceinfomapping": ("serviceCode serviceCodeDVCQG serviceNameDVCQG synced"),
    "opencps_dictitemmapping": ("itemCode itemCodeDVCQG collectionId"),
    "opencps_dossierstatusmapping": ("statusCode subStatusCode statusCodeDVCQG"),
    "opencps_sync_scheduler": ("className typeCode syncDate retry"),
}
AUDIT = "uuid_ groupId companyId userId userName createDate modifiedDate"
STATUS = {
    "receiving": "1", "new": "2", "denied": "3", "processing": "4", "waiting": "5", "paying": "6", "cancelled": "7",
    "unresolved": "8", "releasing": "9", "done": "10",
}  # fmt: skip
STEP = {
    "100": "1", "200": "2", "300": "4", "350": "5", "360": "4", "370": "6", "400": "9", "500": "10", "210": "3",
    "220": "7", "230": "8",
}  # fmt: skip


@pytest.mark.parametrize("table", DOCUMENTED)
def test_a_table_has_every_documented_column_and_naive_times(danang: str, ask: Ask, table: str) -> None:
    found = {
        row["column_name"]: row["data_type"]
        for row in ask(
            danang, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", table
        )
    }
    assert set(found) >= {*DOCUMENTED[table].split(), *AUDIT.split()}
    assert "timestamp with time zone" not in found.values()


def test_only_the_composite_index_knows_modified_date(danang: str, ask: Ask) -> None:
    indexes = [row["indexdef"] for row in ask(danang, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")]
    assert [index for index in indexes if "modifiedDate" in index] == [
        'CREATE INDEX ix_dossier_status ON public.opencps_dossier USING btree ("dossierStatus", "modifiedDate")'
    ]


def test_rows_of_clean_dossiers_say_what_the_ledger_says(world: World, danang: str, ask: Ask) -> None:
    compare(world, "H17", danang, ask)


def compare(world: World, province: str, url: str, ask: Ask) -> None:
    """Map every clean dossier from its rows, as any reader would, and compare with the truth."""
    children: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for table, order in (("action", "sequenceNo"), ("file", "dossierFileId"), ("payment", "paymentFileId")):
        name = "opencps_paymentfile" if table == "payment" else f"opencps_dossier{table}"
        children[table] = defaultdict(list)
        for row in ask(url, f'SELECT * FROM {name} ORDER BY "{order}"'):
            children[table][row["dossierId"]].append(row)
    dossiers = {row["dossierId"]: row for row in ask(url, "SELECT * FROM opencps_dossier")}
    mapping = {
        row["serviceCode"]: row["serviceCodeDVCQG"] for row in ask(url, "SELECT * FROM opencps_serviceinfomapping")
    }
    clean = [entry for entry in world.ledger(province) if entry.clean]
    assert len(clean) > 600
    for entry in clean:
        row = dossiers[entry.dossier_id]
        files, fees = children["file"][entry.dossier_id], children["payment"][entry.dossier_id]
        code = mapping.get(row["serviceCode"]) or ".".join(row["serviceCode"].split(".")[:2])
        mapped = mapped_dossier(row, files, fees, code)
        assert {name: entry.truth[name] for name in mapped} == mapped, entry.dossier_id
        assert mapped_steps(children["action"][entry.dossier_id]) == [
            {k: s[k] for k in ("NguoiXuLy", "ThoiDiemXuLy", "NoiDungXuLy", "TrangThai", "NgayKetThucTheoQuyDinh")}
            for s in entry.steps
        ]


def mapped_dossier(
    row: dict[str, Any], files: list[dict[str, Any]], fees: list[dict[str, Any]], procedure: str
) -> dict[str, Any]:
    """The wire fields that rows alone can tell (names of procedures and fields come from the portal's catalogue)."""
    meta = json.loads(row["metaData"])
    paid = {fee["paymentMethod"] for fee in fees if fee["paymentStatus"] in (3, 5)}
    forms = [(file, json.loads(file["formData"])) for file in files]
    return {
        "MaHoSo": row["dossierNo"] or "",
        "MaTTHC": procedure,
        "ChuHoSo": row["applicantName"],
        "SoGiayToChuHoSo": row["applicantIdNo"],
        "LoaiDoiTuong": {"citizen": "1", "business": "2"}[row["applicantIdType"]],
        "Email": row["contactEmail"],
        "SoDienThoai": row["contactTelNo"],
        "TrichYeuHoSo": row["briefNote"],
        "NgayNopHoSo": moment(row["submitDate"]),
        "NgayTiepNhan": moment(row["receiveDate"]),
        "NgayHenTra": moment(row["extendDate"] or row["dueDate"]),
        "TrangThaiHoSo": STATUS[row["dossierStatus"]],
        "NgayTuChoi": moment(row["cancellingDate"]) if row["dossierStatus"] == "denied" else "",
        "NgayKetThucXuLy": moment(row["releaseDate"]),
        "NgayTra": moment(row["finishDate"]),
        "HinhThuc": "0" if row["viaPostal"] in (0, 1) else "1",
        "DonViXuLy": row["govAgencyName"],
        "KenhThucHien": "2" if row["online_"] else "3" if row["fromViaPostal"] == 1 else "1",
        "HoSoCoThanhPhanSoHoa": meta.get("HoSoCoThanhPhanSoHoa", ""),
        "TaiKhoanDuocXacThucVoiVNeID": meta.get("TaiKhoanDuocXacThucVoiVNeID", ""),
        "DuocThanhToanTrucTuyen": "1" if "DVCQG" in paid else "2" if "KEYPAY" in paid else "0",
        "DSKetNoiCSDL": [{"MaCSDL": code} for code in meta.get("DSKetNoiCSDL", [])],
        "TaiLieuNop": [
            {
                "TepDinhKemId": "",
                "TenTepDinhKem": file["displayName"],
                "IsDeleted": str(file["removed"]),
                "MaThanhPhanHoSo": file["dossierPartNo"],
                "DuongDanTaiTepTin": form["url"].split("?")[0],
                "DuocSoHoa": form["DuocSoHoa"],
                "DuocTaiSuDung": form["DuocTaiSuDung"],
                "DuocLayTuKhoDMQG": form["DuocLayTuKhoDMQG"],
                "MaKetQuaThayThe": "",
            }
            for file, form in forms
            if file["dossierPartType"] != 2
        ],
        "DanhSachLePhi": [
            {"TenPhiLePhi": fee["paymentFee"], "MaPhiLePhi": "1", "HinhThucThu": "1", "Gia": str(fee["paymentAmount"]),
             "LoaiPhiLePhi": "1"}
            for fee in fees
        ],
        "DanhSachGiayToKetQua": [
            {"TenGiayTo": file["displayName"], "MaThanhPhanHoSo": file["dossierPartNo"], "GiayToId": "",
             "DuongDanTepTinKetQua": form["url"].split("?")[0], "MaGiayToKetQua": file["deliverableCode"]}
            for file, form in forms
            if file["dossierPartType"] == 2
        ],
    }  # fmt: skip


def mapped_steps(actions: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        {
            "NguoiXuLy": action["actionUser"],
            "ThoiDiemXuLy": moment(action["createDate"]),
            "NoiDungXuLy": action["actionNote"],
            "TrangThai": STEP[action["stepCode"]],
            "NgayKetThucTheoQuyDinh": moment(action["dueDate"]),
        }
        for action in actions
    ]


def moment(value: datetime | None) -> str:
    return value.strftime("%Y%m%d%H%M%S") if value else ""


def test_every_defect_is_in_the_rows(world: World, danang: str, ask: Ask) -> None:
    rows = {row["dossierId"]: row for row in ask(danang, "SELECT * FROM opencps_dossier")}
    results = {
        row["dossierId"]: row for row in ask(danang, 'SELECT * FROM opencps_dossierfile WHERE "dossierPartType" = 2')
    }
    listed = {item.code: item.state for item in world.catalogue.procedures}
    national = {
        r["serviceCode"]: r["serviceCodeDVCQG"] for r in ask(danang, "SELECT * FROM opencps_serviceinfomapping")
    }
    seen: set[str] = set()
    for entry in world.ledger("H17"):
        if not entry.defects or entry.defects == (Defect.ORPHAN_CHILD,):
            continue
        row, truth = rows[entry.dossier_id], entry.truth
        state = listed.get(national.get(row["serviceCode"]) or ".".join(row["serviceCode"].split(".")[:2]))
        spoiled = {
            Defect.UNKNOWN_PROCEDURE: state in (None, "vanished"),
            Defect.RETIRED_PROCEDURE: state == "retired",
            Defect.MALFORMED_CODE: row["dossierNo"] != entry.code,
            Defect.DATES_OUT_OF_ORDER: not ordered(row),
            Defect.UNKNOWN_STATUS: row["dossierStatus"] not in STATUS,
            Defect.DUMMY_ID: row["applicantIdNo"] == "000000001",
            Defect.DUPLICATE_ROW: row["dossierNo"] == rows[entry.duplicate_of or entry.dossier_id]["dossierNo"]
            and entry.duplicate_of not in (0, entry.dossier_id),
            Defect.NFD_TEXT: unicodedata.normalize("NFC", row["applicantName"]) == truth["ChuHoSo"]
            and row["briefNote"] != truth["TrichYeuHoSo"],
            Defect.EMPTY_REQUIRED: "" in (row["govAgencyName"], row["applicantName"]) or row["receiveDate"] is None,
            Defect.PORTAL_REFUSES: row["applicantIdNo"].startswith("997"),
            Defect.RESULT_WITHOUT_FILE: results.get(entry.dossier_id, {}).get("fileEntryId") == 0,
        }
        assert spoiled[Defect(entry.defects[0])], entry.defects
        assert [kind for kind, wrong in spoiled.items() if wrong] == [entry.defects[0]]
        seen.add(entry.defects[0])
    assert seen == set(Defect) - {Defect.ORPHAN_CHILD}


def ordered(row: dict[str, Any]) -> bool:
    names = ("submitDate", "receiveDate", "releaseDate", "finishDate")
    dates = [row[name] for name in names if row[name]]
    return dates == sorted(dates) and (not row["receiveDate"] or row["dueDate"] >= row["receiveDate"])


def test_orphans_are_children_without_a_dossier_and_the_ledger_expects_nothing(
    world: World, danang: str, ask: Ask
) -> None:
    found = ask(
        danang,
        'SELECT DISTINCT "dossierId" FROM opencps_dossieraction WHERE "dossierId" NOT IN '
        '(SELECT "dossierId" FROM opencps_dossier)',
    )
    orphans = [entry for entry in world.ledger("H17") if entry.defects == (Defect.ORPHAN_CHILD,)]
    assert sorted(row["dossierId"] for row in found) == [entry.dossier_id for entry in orphans]
    assert all(entry.truth == {} and entry.code is None for entry in orphans)


def test_clocks_have_their_habits(danang: str, ask: Ask) -> None:
    (row,) = ask(
        danang,
        'SELECT max("modifiedDate") AS newest, count(*) FILTER (WHERE "modifiedDate" < "createDate") AS backwards, '
        'count(*) - count(DISTINCT "modifiedDate") AS ties FROM opencps_dossier',
    )
    assert row["newest"] <= datetime(2026, 10, 31, 23)
    assert row["backwards"] > 0
    assert row["ties"] > 0
    later = ask(
        danang,
        'SELECT 1 FROM opencps_dossierfile JOIN opencps_dossier USING ("dossierId") '
        'WHERE opencps_dossierfile."modifiedDate" > opencps_dossier."modifiedDate" + interval \'1 minute\'',
    )
    assert len(later) > 10


def test_installing_the_same_world_again_changes_nothing(world: World, danang: str, ask: Ask) -> None:
    before = ask(danang, "SELECT xmin::text, ctid::text FROM opencps_dossier ORDER BY ctid")
    assert install(world, "H17", danang) is False
    assert ask(danang, "SELECT xmin::text, ctid::text FROM opencps_dossier ORDER BY ctid") == before
    assert installed(danang) == Installation(world.seed, world.size, world.month, 0)


def test_another_world_replaces_the_one_before(new_database: Callable[..., str], ask: Ask) -> None:
    url = new_database("replaced")
    install(World.generate(1, 40, provinces=("H26",)), "H26", url)
    assert install(World.generate(2, 30, provinces=("H26",)), "H26", url) is True
    assert ask(url, "SELECT count(*) AS n FROM opencps_dossier") == [{"n": 30}]


def test_the_reader_may_read_and_nothing_else(new_database: Callable[..., str], ask: Ask) -> None:
    url = new_database("readable")
    install(World.generate(1, 20, provinces=("H26",)), "H26", url)
    create_reader(url, "simtest_reader", "bí mật")
    create_reader(url, "simtest_reader", "bí mật")
    reader = url.replace("//lienthong@", "//simtest_reader@")
    assert ask(reader, "SELECT count(*) AS n FROM opencps_dossier") == [{"n": 20}]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(reader, "DELETE FROM opencps_dossier RETURNING 1")


@pytest.fixture
def moved(movable_world: World, new_database: Callable[..., str], ask: Ask) -> tuple[World, str, dict[int, Entry], Any]:
    """A world that moved twice: (world, url, ledger before the second move, rows before it)."""
    url = new_database("moved")
    install(movable_world, "H17", url)
    advance(movable_world, "H17", url, seed=1, changes=40)
    entries = {entry.dossier_id: entry for entry in movable_world.ledger("H17")}
    return movable_world, url, entries, snapshot(url, ask)


def snapshot(url: str, ask: Ask) -> dict[str, dict[int, dict[str, Any]]]:
    keys = {
        "opencps_dossier": "dossierId", "opencps_dossierfile": "dossierFileId",
        "opencps_dossieraction": "dossierActionId", "opencps_paymentfile": "paymentFileId",
    }  # fmt: skip
    return {table: {row[key]: row for row in ask(url, f"SELECT * FROM {table}")} for table, key in keys.items()}


def test_a_moved_database_and_the_moved_ledger_agree(moved: tuple[World, str, Any, Any], ask: Ask) -> None:
    world, url, _, _ = moved
    compare(world, "H17", url, ask)
    assert installed(url) == Installation(world.seed, world.size, world.month, 1)


def test_a_move_changes_what_it_says_and_nothing_else(
    moved: tuple[World, str, dict[int, Entry], Any], ask: Ask
) -> None:
    world, url, entries, before = moved
    newest = max(row["modifiedDate"] for row in before["opencps_dossier"].values())
    changes = advance(world, "H17", url, seed=2, changes=40)
    after = snapshot(url, ask)
    assert {change.kind for change in changes} == set(ChangeKind)
    touched = {
        row["dossierId"] for table in after for key, row in after[table].items() if before[table].get(key) != row
    }
    assert touched == {change.dossier_id for change in changes}
    now = {entry.dossier_id: entry for entry in world.ledger("H17")}
    for change in changes:
        old, new = entries.get(change.dossier_id), now[change.dossier_id]
        assert (old is None or (old.truth, old.steps) != (new.truth, new.steps)) == change.wire_changed
        row = after["opencps_dossier"][change.dossier_id]
        same_row = before["opencps_dossier"].get(change.dossier_id) == row
        assert same_row == (change.kind in (ChangeKind.CHILD_ONLY, ChangeKind.REFRESHED_URLS))
        if change.kind is ChangeKind.LATE_IMPORT:
            assert row["modifiedDate"] < newest


def test_refreshed_urls_differ_in_their_query_and_clock_only(moved: tuple[World, str, Any, Any], ask: Ask) -> None:
    world, url, _, before = moved
    changes = advance(world, "H17", url, seed=2, changes=40)
    refreshed = {change.dossier_id for change in changes if change.kind is ChangeKind.REFRESHED_URLS}
    assert refreshed
    for key, row in snapshot(url, ask)["opencps_dossierfile"].items():
        if row["dossierId"] not in refreshed:
            continue
        old = before["opencps_dossierfile"][key]
        assert {name for name in row if row[name] != old[name]} == {"modifiedDate", "formData"}
        stable = [json.loads(item["formData"]) for item in (row, old)]
        for form in stable:
            form["url"] = form["url"].split("?t=")[0]
        assert stable[0] == stable[1]
        assert row["modifiedDate"] > old["modifiedDate"]
