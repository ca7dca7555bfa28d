"""The score table as one JSON-like document, for programs. Points are exact decimals, written as text."""

from __future__ import annotations

from decimal import Decimal

from lienthong.indices.table import ScoreTable, UnitScore
from lienthong.views.conclusion import conclusions


def score_document(table: ScoreTable) -> dict[str, object]:
    """Every unit with its groups and components. A component's or group's `absence` says what a missing figure, or a 0
    of 0, means: `no_data` or `nothing_arose`; null where something was counted. An idle unit has no percent, rank and
    band.
    """
    return {
        "run_id": table.run_id,
        "definition": {"id": table.definition.id, "version": table.definition.version, "hash": table.definition.hash},
        "month": str(table.month),
        "kind": table.kind.value,
        "as_of": table.as_of,
        "available": _text(table.available),
        "conclusions": conclusions(table),
        "units": [_unit(table, unit) for unit in table.units],
    }


def _unit(table: ScoreTable, unit: UnitScore) -> dict[str, object]:
    return {
        "tenant": unit.tenant,
        "agency_code": unit.agency_code,
        "name": unit.name,
        "kind": unit.kind.value,
        "idle": unit.idle,
        "total": _text(unit.total),
        "available": _text(unit.available),
        "percent": _text(unit.percent),
        "rank": unit.rank,
        "band": unit.band,
        "groups": {
            code: {
                "score": _text(group.score),
                "available": _text(group.available),
                "absence": table.absence_in(unit, code),
            }
            for code, group in unit.groups.items()
        },
        "components": {
            number: {
                "score": _text(scored.score),
                "numerator": _text(scored.numerator),
                "denominator": _text(scored.denominator),
                "absence": scored.absence,
                "flags": sorted(scored.flags),
            }
            for number, scored in unit.components.items()
        },
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
