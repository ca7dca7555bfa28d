"""What a check of a source says, line by line, in Vietnamese: for people on a terminal, for machines as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """Only a problem makes a check fail."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"

    @property
    def mark(self) -> str:
        return {Level.OK: "✓", Level.WARNING: "!", Level.PROBLEM: "✗"}[self]


@dataclass(frozen=True)
class Line:
    """One finding. `topic` is stable for machines; `next_step` says what a person does about it; `data`: JSON values,
    never a row's content.
    """

    topic: str
    level: Level
    text: str
    next_step: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def good(topic: str, text: str, **data: Any) -> Line:
    return Line(topic, Level.OK, text, data=data)


def warning(topic: str, text: str, next_step: str, **data: Any) -> Line:
    return Line(topic, Level.WARNING, text, next_step, data)


def problem(topic: str, text: str, next_step: str, **data: Any) -> Line:
    return Line(topic, Level.PROBLEM, text, next_step, data)


@dataclass(frozen=True)
class CheckReport:
    """Everything a check found, in the order in which it looked."""

    source_id: str
    checked_at: datetime
    lines: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        """No line is a problem."""
        return all(line.level is not Level.PROBLEM for line in self.lines)

    def level_of(self, topic: str) -> Level | None:
        """The worst level of a topic; None when nothing was said about it."""
        levels = {line.level for line in self.lines if line.topic == topic}
        return next((level for level in reversed(Level) if level in levels), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "source_id": self.source_id,
            "checked_at": self.checked_at.isoformat(),
            "ok": self.ok,
            "lines": [
                {
                    "topic": line.topic,
                    "level": line.level.value,
                    "text": line.text,
                    "next_step": line.next_step,
                    "data": dict(line.data),
                }
                for line in self.lines
            ],
        }
