"""The `bgtvt` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from lienthong.sources.kit.lists import ListProfile
from lienthong.sources.systems.bgtvt.system import Bgtvt

PROFILE = ListProfile(Bgtvt())
