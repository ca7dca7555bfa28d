"""Every file of SQL is run by somebody, and every statement that is named exists."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from lienthong.settings import PROJECT
from lienthong.warehouse.statements import SQL_FOLDER

#: The first part of a statement's name: a folder of include/sql.
FOLDERS = sorted(path.name for path in SQL_FOLDER.iterdir() if path.is_dir() and path.name != "migrations")
NAME = re.compile(rf"(?:{'|'.join(FOLDERS)})(?:/[a-z0-9_]+)+")
PART = "[a-z0-9_]+"


def texts() -> Iterator[ast.Constant | ast.JoinedStr]:
    """Every text that stands in the product, the benchmarks and what surrounds them; not in tests."""
    for folder in ("plugins", "dags", "devstack", "benchmarks"):
        for path in (PROJECT / folder).rglob("*.py"):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
            pieces = {id(part) for node in joined for part in node.values}
            yield from joined
            yield from (
                node
                for node in nodes
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces
            )


def named() -> tuple[set[str], set[str]]:
    """Names that are written out, and patterns of those that are put together: `dossier/apply_{entity}s`."""
    whole: set[str] = set()
    patterns: set[str] = set()
    for node in texts():
        if isinstance(node, ast.Constant):
            whole.add(str(node.value))
            continue
        parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
        first = str(parts[0] or "")
        if first.partition("/")[0] in FOLDERS and "/" in first:  # else `{a}/{b}` would stand for every statement
            patterns.add("".join(PART if part is None else re.escape(str(part)) for part in parts))
    return whole, patterns


def rules() -> set[str]:
    """Statements that the suites of expectations name."""
    found: set[str] = set()
    for path in (PROJECT / "expectations").rglob("*.json"):
        pending = [json.loads(path.read_text(encoding="utf-8"))]
        while pending:
            value = pending.pop()
            if isinstance(value, dict | list):
                pending += value.values() if isinstance(value, dict) else value
            elif isinstance(value, str):
                found.add(value)
    return found


def statements() -> dict[str, Path]:
    files = {path.relative_to(SQL_FOLDER).with_suffix("").as_posix(): path for path in SQL_FOLDER.rglob("*.sql")}
    return {name: path for name, path in files.items() if not name.startswith("migrations/")}


def unused(names: set[str]) -> list[str]:
    whole, patterns = named()
    known = whole | {f"quality/rules/{rule}" for rule in rules()}
    return sorted(
        name for name in names if name not in known and not any(re.fullmatch(pattern, name) for pattern in patterns)
    )


def test_every_statement_is_run_by_somebody() -> None:
    assert unused(set(statements())) == []


def test_a_statement_that_nobody_runs_is_found() -> None:
    assert unused({"ops/open_load", "ops/open_lode", "quality/rules/nobody_asks"}) == [
        "ops/open_lode", "quality/rules/nobody_asks",
    ]  # fmt: skip


def test_every_statement_that_is_named_exists() -> None:
    whole, _ = named()
    names = {name for name in whole if NAME.fullmatch(name)}
    assert len(names) > 100
    assert sorted(names - set(statements())) == []


def test_every_migration_is_a_revision() -> None:
    folder = PROJECT / "plugins" / "lienthong" / "warehouse"
    told = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    files = {path.stem for path in (SQL_FOLDER / "migrations").glob("*.sql")}
    assert sorted(name for name in files if name not in told) == []
