"""Which keys of the source's JSON nobody knows, and which expected ones never came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.mapping import DOSSIER, ENTITY_TABLES, KNOWN, PAPER_LISTS, TASKS, paths_of

#: A mapped key that none of so many rows had is reported.
ENOUGH_ROWS = 50


class Audit:
    """Collects paths while rows pass by. Bounded by the number of different keys."""

    def __init__(self, contract: SourceContract, seen: Mapping[str, Any] | None = None) -> None:
        known: dict[str, set[str]] = {}
        mapped: dict[str, set[str]] = {}
        for entity, table in ENTITY_TABLES.items():
            mapped[table] = set(paths_of(contract, entity).values())
            known[table] = {*KNOWN[table], *mapped[table], *contract.dossier.ignore.get(table, ())}
        known[DOSSIER].update((TASKS, *PAPER_LISTS))
        self._mapped = mapped
        self._known = known
        #: Paths on the way to a known one.
        self._above = {
            table: {path[:place] for path in paths for place in range(len(path)) if path[place] == "."}
            for table, paths in known.items()
        }
        state = seen or {}
        self._rows: dict[str, int] = dict(state.get("rows", {}))
        self._unknown = {table: set(names) for table, names in state.get("unknown", {}).items()}
        self._met = {table: set(names) for table, names in state.get("met", {}).items()}

    @property
    def state(self) -> dict[str, Any]:
        """Everything seen so far, for a checkpoint."""
        return {
            "rows": self._rows,
            "unknown": {table: sorted(names) for table, names in self._unknown.items()},
            "met": {table: sorted(names) for table, names in self._met.items()},
        }

    def look(self, table: str, row: dict[str, Any]) -> None:
        """Pass one row of a table."""
        self._rows[table] = self._rows.get(table, 0) + 1
        self._walk(table, row, "")

    def findings(self) -> dict[str, tuple[str, ...]]:
        """Unknown paths by table, and mapped ones that never came ("path (expected, never seen)")."""
        unknown, never = self.unknown(), self.never_seen()
        return {
            table: (*unknown.get(table, ()), *(f"{path} (expected, never seen)" for path in never.get(table, ())))
            for table in self._rows
            if table in unknown or table in never
        }

    def unknown(self) -> dict[str, tuple[str, ...]]:
        """Paths by table that nobody maps, ignores or knows."""
        return {table: tuple(sorted(names)) for table, names in self._unknown.items() if names}

    def never_seen(self) -> dict[str, tuple[str, ...]]:
        """Mapped paths by table that none of enough rows had."""
        found: dict[str, tuple[str, ...]] = {}
        for table in (table for table, rows in self._rows.items() if rows >= ENOUGH_ROWS):
            met = self._met.get(table, set())
            names = tuple(sorted(path for path in self._mapped[table] if self._visible(table, path) not in met))
            if names:
                found[table] = names
        return found

    def never_met(self, table: str, tops: Iterable[str]) -> list[str]:
        """Which of these top-level keys no row of the table had."""
        return [name for name in tops if name not in self._met.get(table, ())]

    def _visible(self, table: str, path: str) -> str:
        """The path, or the part of it that is looked at: forms and translations are known as a whole."""
        for place, letter in enumerate(path):
            if letter == "." and path[:place] in self._known[table]:
                return path[:place]
        return path

    def _walk(self, table: str, value: dict[str, Any], above: str) -> None:
        met = self._met.setdefault(table, set())
        for name, inner in value.items():
            path = f"{above}.{name}" if above else name
            met.add(path)
            if path in self._above[table]:
                if isinstance(inner, list):
                    inner = next((part for part in inner if isinstance(part, dict)), None)
                if isinstance(inner, dict):
                    if path not in self._known[table]:
                        self._walk(table, inner, path)
                    continue
            if path not in self._known[table] and path not in self._above[table]:
                self._unknown.setdefault(table, set()).add(path)
