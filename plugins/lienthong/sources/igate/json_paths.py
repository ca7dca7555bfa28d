"""Values inside decoded JSON by dotted path, as the text that columns hold."""

from __future__ import annotations

import json
from typing import Any

#: `languageId` of Vietnamese wherever iGate keeps a text in several languages (portal-exchange §6.4).
VIETNAMESE = 228


def find(value: Any, path: tuple[str, ...]) -> Any:
    """The value at `path`, None when there is none. A list of translations stands for its Vietnamese one."""
    for name in path:
        if isinstance(value, list):
            value = _translation(value)
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def word(value: Any) -> str | None:
    """A scalar as text: `0` and `0.0` are "0", true is "true"; anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return dump(value)


def dump(value: Any) -> str:
    """Compact JSON, Vietnamese readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _translation(values: list[Any]) -> Any:
    objects = [value for value in values if isinstance(value, dict)]
    return next((value for value in objects if value.get("languageId") == VIETNAMESE), objects[0] if objects else None)
