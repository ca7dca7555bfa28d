"""The dossier (hồ sơ thủ tục hành chính) with its steps, documents and fees: what every system's rows become.

`wire` names are the portal's (docs/portal-exchange.md).
"""

from __future__ import annotations

from enum import StrEnum

from lienthong.model.kinds.spec import Belief, EntitySpec, Field, KindSpec, ValueType


class Entity(StrEnum):
    """A dossier and its children. The dossier with its children is the unit of the gate and of versions."""

    DOSSIER = "dossier"
    STEP = "step"
    DOCUMENT = "document"
    FEE = "fee"


DOSSIER = EntitySpec(
    Entity.DOSSIER,
    "hồ sơ",
    (
        Field("dossier_code", ValueType.TEXT, "MaHoSo"),
        Field("reference_code", ValueType.TEXT),
        Field("procedure_code", ValueType.TEXT, "MaTTHC"),  # national base code when one can be told, else null
        Field("procedure_code_raw", ValueType.TEXT),
        Field("procedure_name", ValueType.TEXT, "TenTTHC"),
        Field("agency_code", ValueType.TEXT),  # normalised: H17.05
        Field("agency_code_raw", ValueType.TEXT),
        Field("agency_name", ValueType.TEXT, "DonViXuLy"),
        Field("status", ValueType.SMALLINT, "TrangThaiHoSo"),  # null when the source's word is not mapped
        Field("status_raw", ValueType.TEXT),
        Field("channel", ValueType.SMALLINT, "KenhThucHien"),
        Field("subject_type", ValueType.SMALLINT, "LoaiDoiTuong"),
        Field("return_method", ValueType.SMALLINT, "HinhThuc"),
        Field("submitted_at", ValueType.INSTANT, "NgayNopHoSo"),
        Field("received_at", ValueType.INSTANT, "NgayTiepNhan"),
        Field("due_at", ValueType.INSTANT, "NgayHenTra"),
        Field("finished_at", ValueType.INSTANT, "NgayKetThucXuLy"),
        Field("returned_at", ValueType.INSTANT, "NgayTra"),
        Field("refused_at", ValueType.INSTANT, "NgayTuChoi"),
        Field("has_digitised_component", ValueType.BOOLEAN, "HoSoCoThanhPhanSoHoa"),
        Field("vneid_verified", ValueType.BOOLEAN, "TaiKhoanDuocXacThucVoiVNeID"),
        Field("online_payment", ValueType.SMALLINT, "DuocThanhToanTrucTuyen"),
        Field("database_codes", ValueType.TEXTS, "DSKetNoiCSDL"),
        Field("applicant_name", ValueType.TEXT, "ChuHoSo", personal=True),
        Field("applicant_id_number", ValueType.TEXT, "SoGiayToChuHoSo", personal=True),
        Field("applicant_phone", ValueType.TEXT, "SoDienThoai", personal=True),
        Field("applicant_email", ValueType.TEXT, "Email", personal=True),
        Field("applicant_address", ValueType.TEXT, personal=True),
        Field("abstract", ValueType.TEXT, "TrichYeuHoSo", personal=True),
        Field("source_modified_at", ValueType.INSTANT, hashed=False),
        Field(
            "was_not_nfc", ValueType.BOOLEAN, hashed=False, stored=False
        ),  # the source sent decomposed Unicode; already normalised here
    ),
)

STEP = EntitySpec(
    Entity.STEP,
    "bước xử lý",
    (
        Field("step_no", ValueType.BIGINT),
        Field("status", ValueType.SMALLINT, "TrangThai"),
        Field("status_raw", ValueType.TEXT),
        Field("occurred_at", ValueType.INSTANT, "ThoiDiemXuLy"),
        Field("started_at", ValueType.INSTANT, "NgayBatDau"),
        Field("due_at", ValueType.INSTANT, "NgayKetThucTheoQuyDinh"),
        Field("actor_title", ValueType.TEXT, "ChucDanh"),
        Field("department", ValueType.TEXT, "PhongBanXuLy"),
        Field("actor_name", ValueType.TEXT, "NguoiXuLy", personal=True),
        Field("content", ValueType.TEXT, "NoiDungXuLy", personal=True),
    ),
)

DOCUMENT = EntitySpec(
    Entity.DOCUMENT,
    "giấy tờ",
    (
        Field("role", ValueType.TEXT),  # component | result
        Field("component_code", ValueType.TEXT, "MaThanhPhanHoSo"),
        Field("result_code", ValueType.TEXT, "MaGiayToKetQua"),
        Field("has_file", ValueType.BOOLEAN),
        Field("removed", ValueType.BOOLEAN, "IsDeleted"),
        Field("digitised", ValueType.BOOLEAN, "DuocSoHoa"),
        Field("reuse", ValueType.SMALLINT, "DuocTaiSuDung"),
        Field("from_citizen_store", ValueType.BOOLEAN, "DuocLayTuKhoDMQG"),
        Field("name", ValueType.TEXT, "TenTepDinhKem", personal=True),
        Field("url", ValueType.TEXT, "DuongDanTaiTepTin", personal=True),  # volatile query stripped
    ),
)

FEE = EntitySpec(
    Entity.FEE,
    "phí, lệ phí",
    (
        Field("name", ValueType.TEXT, "TenPhiLePhi"),
        Field("fee_code", ValueType.TEXT, "MaPhiLePhi"),
        Field("kind", ValueType.TEXT, "LoaiPhiLePhi"),
        Field("amount", ValueType.BIGINT, "Gia"),  # đồng
        Field("payment_channel", ValueType.SMALLINT),  # OnlinePayment
        Field("paid", ValueType.BOOLEAN),
        Field("paid_at", ValueType.INSTANT),
    ),
)

DOSSIER_KIND = KindSpec(
    name="dossier",
    root=DOSSIER,
    children=(STEP, DOCUMENT, FEE),
    arrived=("received_at", "submitted_at"),
    agency="agency_code",
    recipe=2,
    code="dossier_code",
    thing="dossier_id",
    catalogued="procedure_code",
    # Records that share a dossier code are one dossier, and one of them speaks for it (docs/adr/0002).
    belief=Belief(
        resolve=("staging/resolve_identity",),
        release=("dossier/release_codes",),
        believe=("dossier/believe_dossiers",),
        speak=("dossier/choose_speakers", "dossier/release_spoken_codes", "dossier/apply_speakers"),
        settle=("dossier/find_heirs", "dossier/take_codes", "dossier/give_codes", "dossier/record_codes"),
        reasons=("dossier_code_collision",),
    ),
)
#: Its entities by name.
SPECS: dict[Entity, EntitySpec] = {Entity(spec.entity): spec for spec in DOSSIER_KIND.entities}
PERSON_FIELDS: tuple[str, ...] = DOSSIER.personal_names
CHILDREN: tuple[Entity, ...] = (Entity.STEP, Entity.DOCUMENT, Entity.FEE)
RECORD_RECIPE = DOSSIER_KIND.recipe
