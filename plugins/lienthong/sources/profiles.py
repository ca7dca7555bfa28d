"""The registry of profiles: which package reads which kind of system. Imported only when one is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.profile import Profile

#: `profile:` of a contract → kind of record that such a system holds → module whose PROFILE reads it.
PROFILES: dict[str, dict[str, str]] = {
    "igate": {"dossier": "lienthong.sources.igate.profile"},
    "opencps": {"dossier": "lienthong.sources.opencps.profile"},
}


def profile_of(contract: SourceContract) -> Profile:
    """The profile that reads a contract's kind of record (a contract for which there is none doesn't load)."""
    return cast("Profile", import_module(PROFILES[contract.profile][contract.kind.name]).PROFILE)
