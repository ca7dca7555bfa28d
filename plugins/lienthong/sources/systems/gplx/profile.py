"""The `gplx` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from lienthong.sources.kit.lists import ListProfile
from lienthong.sources.systems.gplx.system import Gplx

PROFILE = ListProfile(Gplx())
