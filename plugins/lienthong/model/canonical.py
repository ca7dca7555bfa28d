"""The canonical records: what every source is turned into, whatever system it comes from.

One table of fields per entity. From it follow the staging schema (`warehouse/migrations` is tested against it), the
Arrow schema of the canonical batches, the columns that a record hash covers, and which values are personal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

#: Number of the record hash's recipe (include/sql/staging/digest_rows.sql). Raise it whenever the hashed columns or
#: their encoding change: hashes of different recipes are never compared.
RECORD_RECIPE = 2


class Kind(StrEnum):
    """Types of canonical values. INSTANT is a timestamptz with microseconds; nothing is naive."""

    TEXT = "text"
    SMALLINT = "smallint"
    BIGINT = "bigint"
    BOOLEAN = "boolean"
    INSTANT = "timestamptz"
    TEXTS = "text[]"


class Entity(StrEnum):
    """A dossier and its children. The dossier with its children is the unit of the gate and of versions."""

    DOSSIER = "dossier"
    STEP = "step"
    DOCUMENT = "document"
    FEE = "fee"


@dataclass(frozen=True)
class Field:
    """One canonical value. `personal` values never leave landing, staging, person tables and the payload in flight.

    `hashed` says whether a change of the value is a change of the dossier.
    """

    name: str
    kind: Kind
    wire: str | None = None
    personal: bool = False
    hashed: bool = True


@dataclass(frozen=True)
class EntitySpec:
    """All fields of one entity, in column order."""

    entity: Entity
    fields: tuple[Field, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def hashed_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.hashed)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


DOSSIER = EntitySpec(
    Entity.DOSSIER,
    (
        Field("dossier_code", Kind.TEXT, "MaHoSo"),
        Field("reference_code", Kind.TEXT),
        Field("procedure_code", Kind.TEXT, "MaTTHC"),  # national base code when one can be told, else null
        Field("procedure_code_raw", Kind.TEXT),
        Field("procedure_name", Kind.TEXT, "TenTTHC"),
        Field("agency_code", Kind.TEXT),  # normalised: H17.05
        Field("agency_code_raw", Kind.TEXT),
        Field("agency_name", Kind.TEXT, "DonViXuLy"),
        Field("status", Kind.SMALLINT, "TrangThaiHoSo"),  # null when the source's word is not mapped
        Field("status_raw", Kind.TEXT),
        Field("channel", Kind.SMALLINT, "KenhThucHien"),
        Field("subject_type", Kind.SMALLINT, "LoaiDoiTuong"),
        Field("return_method", Kind.SMALLINT, "HinhThuc"),
        Field("submitted_at", Kind.INSTANT, "NgayNopHoSo"),
        Field("received_at", Kind.INSTANT, "NgayTiepNhan"),
        Field("due_at", Kind.INSTANT, "NgayHenTra"),
        Field("finished_at", Kind.INSTANT, "NgayKetThucXuLy"),
        Field("returned_at", Kind.INSTANT, "NgayTra"),
        Field("refused_at", Kind.INSTANT, "NgayTuChoi"),
        Field("has_digitised_component", Kind.BOOLEAN, "HoSoCoThanhPhanSoHoa"),
        Field("vneid_verified", Kind.BOOLEAN, "TaiKhoanDuocXacThucVoiVNeID"),
        Field("online_payment", Kind.SMALLINT, "DuocThanhToanTrucTuyen"),
        Field("database_codes", Kind.TEXTS, "DSKetNoiCSDL"),
        Field("applicant_name", Kind.TEXT, "ChuHoSo", personal=True),
        Field("applicant_id_number", Kind.TEXT, "SoGiayToChuHoSo", personal=True),
        Field("applicant_phone", Kind.TEXT, "SoDienThoai", personal=True),
        Field("applicant_email", Kind.TEXT, "Email", personal=True),
        Field("applicant_address", Kind.TEXT, personal=True),
        Field("abstract", Kind.TEXT, "TrichYeuHoSo", personal=True),
        Field("source_modified_at", Kind.INSTANT, hashed=False),
        Field("was_not_nfc", Kind.BOOLEAN, hashed=False),  # the source sent decomposed Unicode; already normalised here
    ),
)

STEP = EntitySpec(
    Entity.STEP,
    (
        Field("step_no", Kind.BIGINT),
        Field("status", Kind.SMALLINT, "TrangThai"),
        Field("status_raw", Kind.TEXT),
        Field("occurred_at", Kind.INSTANT, "ThoiDiemXuLy"),
        Field("started_at", Kind.INSTANT, "NgayBatDau"),
        Field("due_at", Kind.INSTANT, "NgayKetThucTheoQuyDinh"),
        Field("actor_title", Kind.TEXT, "ChucDanh"),
        Field("department", Kind.TEXT, "PhongBanXuLy"),
        Field("actor_name", Kind.TEXT, "NguoiXuLy", personal=True),
        Field("content", Kind.TEXT, "NoiDungXuLy", personal=True),
    ),
)

DOCUMENT = EntitySpec(
    Entity.DOCUMENT,
    (
        Field("role", Kind.TEXT),  # component | result
        Field("component_code", Kind.TEXT, "MaThanhPhanHoSo"),
        Field("result_code", Kind.TEXT, "MaGiayToKetQua"),
        Field("has_file", Kind.BOOLEAN),
        Field("removed", Kind.BOOLEAN, "IsDeleted"),
        Field("digitised", Kind.BOOLEAN, "DuocSoHoa"),
        Field("reuse", Kind.SMALLINT, "DuocTaiSuDung"),
        Field("from_citizen_store", Kind.BOOLEAN, "DuocLayTuKhoDMQG"),
        Field("name", Kind.TEXT, "TenTepDinhKem", personal=True),
        Field("url", Kind.TEXT, "DuongDanTaiTepTin", personal=True),  # volatile query stripped
    ),
)

FEE = EntitySpec(
    Entity.FEE,
    (
        Field("name", Kind.TEXT, "TenPhiLePhi"),
        Field("fee_code", Kind.TEXT, "MaPhiLePhi"),
        Field("kind", Kind.TEXT, "LoaiPhiLePhi"),
        Field("amount", Kind.BIGINT, "Gia"),  # đồng
        Field("payment_channel", Kind.SMALLINT),  # OnlinePayment
        Field("paid", Kind.BOOLEAN),
        Field("paid_at", Kind.INSTANT),
    ),
)

SPECS: dict[Entity, EntitySpec] = {spec.entity: spec for spec in (DOSSIER, STEP, DOCUMENT, FEE)}
CHILDREN: tuple[Entity, ...] = (Entity.STEP, Entity.DOCUMENT, Entity.FEE)
PERSON_FIELDS: tuple[str, ...] = tuple(field.name for field in DOSSIER.fields if field.personal)
