"""A world that has moved often, kept whole: replaying thousands of moves at every start would take too long."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulator.plans import Plan
from simulator.world import World

_FIELDS = tuple(field.name for field in fields(Plan))
_TUPLES = ("events", "added")


def write_snapshot(world: World, path: Path) -> None:
    """Everything that moves can change, in one step."""
    content = {
        "fields": _FIELDS,
        "plans": {code: [_row(plan) for plan in plans] for code, plans in world.plans.items()},
        "held": {code: [_row(plan) for plan in plans] for code, plans in world.held.items()},
        "moves": world.moves,
        "clocks": world.clocks,
        "serials": {
            code: [[prefix, day, number] for (prefix, day), number in numbers.items()]
            for code, numbers in world.serials.items()
        },
    }  # fmt: skip
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    draft.replace(path)


def read_snapshot(world: World, path: Path) -> None:
    """Put a kept state into a world of the same seed, size, month and provinces. ValueError when it can't be used."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names, held = content["fields"], content.get("held", {})
        if not set(names) <= set(_FIELDS) or set(content["plans"]) != set(world.plans) or set(held) != set(world.held):
            raise KeyError("fields")
        world.plans = {code: [_plan(names, row) for row in rows] for code, rows in content["plans"].items()}
        world.held = {code: [_plan(names, row) for row in rows] for code, rows in held.items()}
        world.moves, world.clocks = content["moves"], content["clocks"]
        world.serials = {
            code: {(prefix, day): number for prefix, day, number in rows} for code, rows in content["serials"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"the kept world {path} can't be read ({type(error).__name__}): remove the folder and start anew"
        ) from None


def _row(plan: Plan) -> list[object]:
    return [getattr(plan, name) for name in _FIELDS]


def _plan(names: list[str], row: list[Any]) -> Plan:
    """Fields that came later than the snapshot keep their defaults."""
    values: dict[str, Any] = dict(zip(names, row, strict=True))
    for name in _TUPLES:
        values[name] = tuple(values[name])
    return Plan(**values)
