"""Switches as frozen dataclasses that can be turned over HTTP."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True)
class Switches:
    """What all ministries' systems have. Each adds its own."""

    slow_s: float = 2.0  # how long a slow answer takes

    def changed(self, values: dict[str, Any]) -> Self:
        """A copy with some values changed; ValueError for an unknown name or type."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch is named {name!r}")
            wanted = (int, float) if isinstance(known[name], float) else type(known[name])
            if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(known[name], bool):
                raise ValueError(f"{name} has the wrong type")
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
