"""Which keys of the source's JSON nobody knows, and which expected ones never came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.formats.json_paths import find
from lienthong.sources.kit.lists.system import ListSystem

#: A mapped key that none of so many rows had is reported.
ENOUGH_ROWS = 50


def paths_of(system: ListSystem, contract: SourceContract, entity: str) -> dict[str, str]:
    """Our field → path, the contract's word before the system's."""
    return {**system.fields[entity], **contract.section.fields.get(entity, {})}


class Audit:
    """Collects paths while rows pass by. Bounded by the number of different keys."""

    def __init__(self, system: ListSystem, contract: SourceContract, seen: Mapping[str, Any] | None = None) -> None:
        self._inside = {of.entity: of.inside for of in system.lists}
        self._mapped = {entity: set(paths_of(system, contract, entity).values()) for entity in system.fields}
        known = {
            entity: {*paths, *system.known.get(entity, ()), *contract.section.ignore.get(entity, ())}
            for entity, paths in self._mapped.items()
        }
        for of in system.lists:
            known[of.entity] |= {part for part in (of.key, of.owner, of.dated) if part}
            known[of.entity] |= {inside.path for inside in of.inside.values()}
            for name, inside in of.inside.items():
                known[name] |= {inside.key} if inside.key else set()
        self._known = known
        #: Paths on the way to a known one.
        self._above = {
            entity: {path[:place] for path in paths for place in range(len(path)) if path[place] == "."}
            for entity, paths in known.items()
        }
        state = seen or {}
        self._rows: dict[str, int] = dict(state.get("rows", {}))
        self._unknown = {entity: set(names) for entity, names in state.get("unknown", {}).items()}
        self._met = {entity: set(names) for entity, names in state.get("met", {}).items()}

    @property
    def state(self) -> dict[str, Any]:
        """Everything seen so far, for a checkpoint."""
        return {
            "rows": self._rows,
            "unknown": {entity: sorted(names) for entity, names in self._unknown.items()},
            "met": {entity: sorted(names) for entity, names in self._met.items()},
        }

    def look(self, entity: str, row: dict[str, Any]) -> None:
        """Pass one row, and the rows inside it."""
        self._rows[entity] = self._rows.get(entity, 0) + 1
        self._walk(entity, row, "")
        for name, inside in self._inside.get(entity, {}).items():
            found = find(row, tuple(inside.path.split(".")))
            for item in found if isinstance(found, list) else ():
                if isinstance(item, dict):
                    self.look(name, item)

    def findings(self) -> dict[str, tuple[str, ...]]:
        """Unknown paths by entity, and mapped ones that never came ("path (expected, never seen)")."""
        found: dict[str, tuple[str, ...]] = {}
        for entity, rows in self._rows.items():
            never: Iterable[str] = ()
            if rows >= ENOUGH_ROWS:
                never = sorted(self._mapped[entity] - self._met.get(entity, set()))
            names = (*sorted(self._unknown.get(entity, ())), *(f"{path} (expected, never seen)" for path in never))
            if names:
                found[entity] = names
        return found

    def never_met(self, entity: str, paths: Iterable[str]) -> list[str]:
        """Which of these paths no row had, if there were rows."""
        met = self._met.get(entity, ())
        return [path for path in paths if path not in met] if self._rows.get(entity) else []

    def _walk(self, entity: str, value: dict[str, Any], above: str) -> None:
        met = self._met.setdefault(entity, set())
        for name, inner in value.items():
            path = f"{above}.{name}" if above else name
            met.add(path)
            if path in self._above[entity] and isinstance(inner, dict):
                self._walk(entity, inner, path)
            elif path not in self._known[entity] and path not in self._above[entity]:
                self._unknown.setdefault(entity, set()).add(path)
