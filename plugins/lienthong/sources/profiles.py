"""Which module reads which kind of record of which vendor's system. Imported only when one is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.system import System

#: `profile:` of a contract → kind of record that such a system holds → module whose PROFILE is a `system.System`.
PROFILES: dict[str, dict[str, str]] = {
    "bgtvt": {"dossier": "lienthong.sources.systems.bgtvt.profile"},
    "danhgia": {"rating": "lienthong.sources.systems.danhgia.profile"},
    "gplx": {"dossier": "lienthong.sources.systems.gplx.profile"},
    "hotline1022": {"petition": "lienthong.sources.systems.hotline.profile"},
    "igate": {"dossier": "lienthong.sources.systems.igate.profile"},
    "opencps": {"dossier": "lienthong.sources.systems.opencps.profile"},
    "pakn": {"petition": "lienthong.sources.systems.pakn.profile"},
    "sheet": {"dossier": "lienthong.sources.systems.sheet.profile"},
}


def profile_of(contract: SourceContract) -> System:
    """The system that reads a contract's kind of record (a contract for which there is none doesn't load)."""
    return cast("System", import_module(PROFILES[contract.profile][contract.kind.name]).PROFILE)
