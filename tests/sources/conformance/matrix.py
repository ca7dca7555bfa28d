"""What was shown of which source, as a table at the end of the run: `pytest tests/sources/conformance -q`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sources.conformance.bench import Fact
from tests.sources.conformance.registry import BENCHES

FAILED, SKIPPED, UNPROVED = "✗", "not run", "?"


def proving(item: pytest.Item) -> None:
    """Note with the test which facts it shows of which source; the note travels with its report."""
    marker, call = item.get_closest_marker("proves"), getattr(item, "callspec", None)
    if marker and call and "source" in call.params:
        facts = [call.params["fact"]] if not marker.args else marker.args
        item.user_properties.append(("conformance", [call.params["source"], *map(str, facts)]))


def summary(terminalreporter: Any) -> None:
    """The table: sources side by side, facts below each other; then what was declared, and why."""
    found: dict[tuple[str, str], str] = {}
    for outcome in ("passed", "skipped", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == "conformance":
                    source, *facts = value
                    found |= {(source, fact): outcome for fact in facts}
    if not found:
        return
    sources = [name for name in BENCHES if any(source == name for source, _ in found)]
    notes: dict[str, int] = {}
    lines = [["", *sources]]
    for fact in Fact:
        lines.append([fact, *(_cell(source, fact, found.get((source, fact)), notes) for source in sources)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    terminalreporter.section("conformance")
    for line in lines:
        terminalreporter.write_line(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        )
    for why, number in notes.items():
        terminalreporter.write_line(f"{number}) {why}")


def _cell(source: str, fact: Fact, outcome: str | None, notes: dict[str, int]) -> str:
    if outcome != "passed":
        return {None: UNPROVED, "skipped": SKIPPED}.get(outcome, FAILED)
    habit = BENCHES[source][0].habit(fact)
    if not habit.why:
        return habit.verdict
    return f"{habit.verdict} {notes.setdefault(habit.why, len(notes) + 1)})"
