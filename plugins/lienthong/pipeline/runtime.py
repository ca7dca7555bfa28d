"""What every step of the pipeline needs from the outside: settings, connections, a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lienthong.connections import Resolver, Role, from_environment
from lienthong.model.errors import ContractError
from lienthong.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from lienthong.sources.contract import SourceContract


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Runtime:
    """Settings, a connection resolver (Airflow's or the environment's) and a clock; passed to every step."""

    settings: Settings
    resolve: Resolver
    now: Callable[[], datetime] = utc_now

    @classmethod
    def from_environment(cls) -> Runtime:
        """For the command line: settings and connections from environment variables."""
        return cls(Settings.from_environment(), from_environment)

    def warehouse(self, role: Role | None = None) -> Engine:
        """The warehouse with the rights of `role`, which every step names; without one, as the shared login."""
        from lienthong.warehouse.engine import open_warehouse

        return open_warehouse(self.resolve, role)

    def contracts(self) -> dict[str, SourceContract]:
        """Every usable contract by source id; a broken one never hides the others."""
        from lienthong.sources.contract import read_contracts

        return read_contracts(self.settings.sources).valid

    def contract(self, source_id: str) -> SourceContract:
        """One contract to work with; ContractError when it is broken, clashes with another, or isn't there."""
        from lienthong.sources.contract import load_contract_beside_others

        return load_contract_beside_others(self._contract_path(source_id))

    def lone_contract(self, source_id: str) -> SourceContract:
        """One contract to look at: as `contract`, but it may clash with another."""
        from lienthong.sources.contract import load_contract

        return load_contract(self._contract_path(source_id))

    def _contract_path(self, source_id: str) -> Path:
        path = self.settings.sources / f"{source_id}.yaml"
        if not path.exists():
            raise ContractError(
                "There is no contract for this source.",
                source=source_id,
                next_step=f"write one with `lienthong source add {source_id} --profile … --tenant …`, "
                f"or put {path.name} into {self._sources_folder()} (docs/sources.md).",
            )
        return path

    def _sources_folder(self) -> str:
        """The folder of the contracts for people: no path of this machine."""
        sources, home = self.settings.sources, self.settings.home
        if sources.is_relative_to(home):
            return f"{sources.relative_to(home).as_posix()}/"
        return "the folder that LIENTHONG_SOURCES names"
