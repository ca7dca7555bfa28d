"""Bộ chỉ số 766: definitions as data, facts, counting, awarding. Verdicts and totals follow index-766."""

from lienthong.indices.compute import score
from lienthong.indices.definition import Definition, load_definition
from lienthong.indices.facts import FactChange, refresh_facts
from lienthong.indices.stored import scores
from lienthong.indices.table import ScoreKind, ScoreTable, UnitKind

__all__ = [
    "Definition",
    "FactChange",
    "ScoreKind",
    "ScoreTable",
    "UnitKind",
    "load_definition",
    "refresh_facts",
    "score",
    "scores",
]
