"""The registry of profiles: which package reads which kind of system. Imported only when one is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.profile import Profile

#: `profile:` of a contract → module whose PROFILE is an instance of `profile.Profile`.
PROFILES: dict[str, str] = {
    "igate": "lienthong.sources.igate.profile",
    "opencps": "lienthong.sources.opencps.profile",
}


def profile_of(contract: SourceContract) -> Profile:
    """The profile that a contract names (contracts with unknown names don't load)."""
    return cast("Profile", import_module(PROFILES[contract.profile]).PROFILE)
