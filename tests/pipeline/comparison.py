"""What the portal holds against what is true."""

from __future__ import annotations

from typing import Any

from simulator.defects import Defect
from simulator.ledger import Entry

#: Defects that change what the source says; everything else must still arrive as it is true.
ALTERED = {
    Defect.DUMMY_ID: {"SoGiayToChuHoSo", "DinhDanhCHS"},
    Defect.PORTAL_REFUSES: {"SoGiayToChuHoSo", "DinhDanhCHS"},
    Defect.DATES_OUT_OF_ORDER: {"NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "NgayTra", "NgayNopHoSo"},
    Defect.RESULT_WITHOUT_FILE: {"DanhSachGiayToKetQua"},
    Defect.EMPTY_REQUIRED: {"ChuHoSo", "DonViXuLy", "NgayTiepNhan", "TenTTHC"},
}


def differences(entry: Entry, held: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Wire fields in which what is held differs from the truth, beyond what the injected defect altered."""
    altered = {name for defect in entry.defects for name in ALTERED.get(Defect(defect), ())}
    return {
        name: (true, held.get(name))
        for name, true in entry.truth.items()
        if name not in altered and held.get(name, "") != true  # an absent field says what "" says
    }
