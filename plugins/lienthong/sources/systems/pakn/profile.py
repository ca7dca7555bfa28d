"""The `pakn` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from lienthong.sources.kit.lists import ListProfile
from lienthong.sources.systems.pakn.system import Pakn

PROFILE = ListProfile(Pakn())
