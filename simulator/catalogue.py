"""Who does what: provinces, agencies, fields and procedures of the simulated world, read from `simulator/data`.

Procedure codes and names are real (portal catalogue, 12/2025); terms, fees, results and field codes are plausible
inventions. Adding a province is adding rows to `agencies.csv` and one entry to `PROVINCES`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Province:
    """One sender. `system` is the kind of system it runs, opencps or igate; `closed` are codes of merged provinces that
    it still meets; `rank` is tỉnh or thành phố.
    """

    code: str
    name: str
    host: str
    system: str
    closed: tuple[str, ...] = ()
    local_prefix: str = ""
    rank: str = "thành phố"

    @property
    def full_name(self) -> str:
        return f"{self.rank} {self.name}"

    @property
    def sender(self) -> str:
        """`madonvi` on the wire."""
        return f"000.00.00.{self.code}"


PROVINCES = {
    "H17": Province("H17", "Đà Nẵng", "motcua.danang.example", "opencps", ("H47",), "DNG"),
    "H26": Province("H26", "Hà Nội", "motcua.hanoi.example", "opencps", (), "HNI"),
    "H21": Province("H21", "Gia Lai", "motcua.gialai.example", "igate", ("H08",), "GLA", "tỉnh"),
    "H13": Province("H13", "Cần Thơ", "motcua.cantho.example", "igate", ("H30", "H51"), "CTO"),
}


@dataclass(frozen=True, slots=True)
class Agency:
    """A department (level 1) or commune (level 3). `former` is the closed province code a commune comes from."""

    index: int
    province: str
    code: str
    name: str
    level: int
    place: str
    former: str

    @property
    def number(self) -> int:
        return int(self.code.split(".")[1])

    @property
    def old_code(self) -> str:
        """The spelling of before 2025 (`000.00.05.H17`), which half of the departments used until lately."""
        return f"000.00.{self.number:02d}.{self.province}"

    @property
    def changed_spelling(self) -> bool:
        return self.level == 1 and self.number % 2 == 1

    @property
    def former_code(self) -> str:
        """Prefix of dossier codes given before the merger: commune, district, closed province."""
        return f"000.{self.number - 90:02d}.{30 + self.number % 9:02d}.{self.former}"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of administration (lĩnh vực) with its ministry."""

    code: str
    name: str
    ministry: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure. `state`: active, retired (still listed, TRANGTHAI 0) or vanished (no longer in the catalogue)."""

    index: int
    code: str
    name: str
    field: Field
    level: int
    department: str
    term_days: int
    fee: int
    result: str
    online_level: int
    subjects: str
    weight: int
    state: str

    @property
    def result_code(self) -> str:
        return f"KQ.{self.code}" if self.result else ""

    @property
    def components(self) -> tuple[tuple[str, str], ...]:
        """(MAGIAYTO, TENGIAYTO) of the dossier components."""
        names = ["Tờ khai theo mẫu", "Giấy tờ chứng minh nhân thân", "Tài liệu kèm theo", "Văn bản thuyết minh"]
        count = 2 if self.term_days < 5 else 3 if self.term_days < 15 else 4
        return tuple((f"{self.code}.TP{number:02d}", name) for number, name in enumerate(names[:count], start=1))

    def local_code(self, province: Province) -> str:
        """Code in the province's own system: base code + sender; in OpenCPS every seventh is a purely local one."""
        if province.system == "opencps" and self.is_local_code():
            return f"{province.local_prefix}-{self.field.code.split('-')[1][:2]}-{self.index:02d}"
        return f"{self.code}.{province.sender}"

    def is_local_code(self) -> bool:
        return self.index % 7 == 3


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


class Catalogue:
    """All reference data of the world."""

    @cached_property
    def fields(self) -> dict[str, Field]:
        return {row["code"]: Field(row["code"], row["name"], row["ministry"]) for row in _rows("fields")}

    @cached_property
    def procedures(self) -> tuple[Procedure, ...]:
        return tuple(
            Procedure(
                index, row["code"], row["name"], self.fields[row["field"]], int(row["level"]), row["department"],
                int(row["term_days"]), int(row["fee"]), row["result"], int(row["online_level"]), row["subjects"],
                int(row["weight"]), row["state"],
            )
            for index, row in enumerate(_rows("procedures"))
        )  # fmt: skip

    @cached_property
    def agencies(self) -> tuple[Agency, ...]:
        return tuple(
            Agency(index, row["province"], row["code"], row["name"], int(row["level"]), row["place"], row["former"])
            for index, row in enumerate(_rows("agencies"))
        )

    @cached_property
    def ministries(self) -> tuple[tuple[str, str], ...]:
        return tuple((row["code"], row["name"]) for row in _rows("ministries"))

    @cached_property
    def all_provinces(self) -> tuple[tuple[str, str, str], ...]:
        """(administrative code, name, identifier) of the 34 provinces."""
        return tuple((row["admin_code"], row["name"], row["code"]) for row in _rows("provinces"))

    @cached_property
    def full_names(self) -> dict[str, str]:
        """Identifier → `thành phố Hà Nội`, `tỉnh Gia Lai`."""
        return {row["code"]: f"{row['kind']} {row['name']}" for row in _rows("provinces")}

    def agencies_of(self, province: str) -> tuple[Agency, ...]:
        return tuple(agency for agency in self.agencies if agency.province == province)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The one catalogue; it does not depend on the seed."""
    return Catalogue()
