"""Values inside iGate's JSON; a text may stand there in several languages (portal-exchange §6.4)."""

from __future__ import annotations

from typing import Any

from lienthong.sources.kit.formats import json_paths

#: `languageId` of Vietnamese.
VIETNAMESE = 228


def find(value: Any, path: tuple[str, ...]) -> Any:
    """The value at `path`, None when there is none. A list of translations stands for its Vietnamese one."""
    return json_paths.find(value, path, translation)


def translation(values: list[Any]) -> Any:
    """The Vietnamese one of several, else the first."""
    objects = [value for value in values if isinstance(value, dict)]
    return next((value for value in objects if value.get("languageId") == VIETNAMESE), objects[0] if objects else None)
