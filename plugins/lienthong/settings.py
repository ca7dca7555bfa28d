"""Where things are: folders of the project and the few settings that come from the environment.

Secrets are never settings: they come from connections (see `lienthong.connections`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(os.environ.get("LIENTHONG_HOME") or Path(__file__).resolve().parents[2])


def var_folder() -> Path:
    """Where files of this installation are written."""
    return Path(os.environ.get("LIENTHONG_VAR") or PROJECT / "var")


@dataclass(frozen=True)
class Settings:
    """`landing_url` is any fsspec URL; the others are absolute paths. `sources` is the folder of the contracts,
    `portal` the file that says how the portal is spoken to.
    """

    home: Path
    landing_url: str
    reports: Path
    sources: Path
    portal: Path

    @property
    def include(self) -> Path:
        return self.home / "include"

    @property
    def provinces(self) -> Path:
        return self.include / "registry" / "provinces.csv"

    @property
    def sql(self) -> Path:
        return self.include / "sql"

    @property
    def expectations(self) -> Path:
        return self.home / "expectations"

    @classmethod
    def from_environment(cls) -> Settings:
        var = var_folder()
        return cls(
            home=PROJECT,
            landing_url=os.environ.get("LIENTHONG_LANDING_URL") or (var / "landing").as_uri(),
            reports=Path(os.environ.get("LIENTHONG_REPORTS") or var / "reports"),
            sources=Path(os.environ.get("LIENTHONG_SOURCES") or PROJECT / "include" / "sources"),
            portal=Path(os.environ.get("LIENTHONG_PORTAL") or PROJECT / "include" / "exchange" / "portal.yaml"),
        )
