"""The `danhgia` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from lienthong.sources.kit.lists import ListProfile
from lienthong.sources.systems.danhgia.system import DanhGia

PROFILE = ListProfile(DanhGia())
