"""The `hotline1022` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from lienthong.sources.kit.lists import ListProfile
from lienthong.sources.systems.hotline.system import Hotline

PROFILE = ListProfile(Hotline())
