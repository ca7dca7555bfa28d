"""Read and check the suites of `expectations/`: Great Expectations' own JSON, with our rules in each `meta`.

Nothing here imports Great Expectations: a suite with a slip is refused before the slow import, by file and key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from lienthong.model.codes import Severity
from lienthong.model.errors import ContractError
from lienthong.model.kinds import EntitySpec, KindSpec

SQL_EXPECTATION = "unexpected_rows_expectation"
#: Expectations whose failing rows Great Expectations can express as a query over one column, or a pair.
_MAP_PREFIXES = ("expect_column_values_", "expect_column_value_lengths_", "expect_column_pair_values_")
_KEYS = ("tenant", "load_id", "row_no", "source_id", "source_key", "landing_part", "landing_row", "type_errors")


@dataclass(frozen=True)
class Rule:
    """One expectation as people know it. `sql` is the text of its rule file, None for a built-in expectation."""

    rule_id: str
    entity: str
    severity: Severity
    field: str
    owner: str
    title_vi: str
    explanation_vi: str
    sql: str | None = dataclass_field(default=None, repr=False)
    sql_name: str | None = None


@dataclass(frozen=True)
class Suite:
    """One file of `expectations/`: `document` is what Great Expectations loads, `rules` are in the file's order."""

    entity: str
    path: Path
    document: Mapping[str, Any]
    rules: tuple[Rule, ...]

    @property
    def parameters(self) -> dict[str, str]:
        """Suite parameters of Great Expectations: the SQL of each rule file, under the file's name."""
        return {rule.sql_name: rule.sql for rule in self.rules if rule.sql_name is not None and rule.sql is not None}


def load_suites(home: Path, kind: KindSpec) -> dict[str, Suite]:
    """The suites of a kind below `home`, by entity. ContractError names the file and the key of the first thing that is
    wrong."""
    return {spec.entity: _load(home, kind, spec) for spec in kind.entities}


def rules_digest(home: Path, kind: KindSpec) -> str:
    """SHA-256 (hex) of everything that decides what the gate finds of a kind: the suites and the SQL of their rules."""
    suites = load_suites(home, kind)
    content = [
        [suites[entity].document, [rule.sql for rule in suites[entity].rules]] for entity in sorted(suites)
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_rule(path: Path) -> str:
    """SQL of a rule file without its comments, which would otherwise be searched for bind parameters and braces."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip()


def _load(home: Path, kind: KindSpec, spec: EntitySpec) -> Suite:
    entity = spec.entity
    path = home / "expectations" / f"{entity}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _broken(path, "(file)", "is missing") from None
    except ValueError as error:
        raise _broken(path, "(file)", f"is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _broken(path, "(file)", "must be a JSON object")
    if document.get("name") != entity:
        raise _broken(path, "name", f"must be {entity!r}")
    expectations = document.get("expectations")
    if not isinstance(expectations, list) or not expectations:
        raise _broken(path, "expectations", "must be a list of expectations")
    rules = tuple(_rule(home, path, kind, spec, number, raw) for number, raw in enumerate(expectations))
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.rule_id in seen:
            raise _broken(path, f"expectations[{number}].meta.rule_id", f"{rule.rule_id!r} is used twice")
        seen.add(rule.rule_id)
    return Suite(entity, path, document, rules)


def _rule(home: Path, path: Path, kind: KindSpec, spec: EntitySpec, number: int, raw: Any) -> Rule:
    at = f"expectations[{number}]"
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise _broken(path, f"{at}.type", "must name an expectation")
    kwargs, meta = raw.get("kwargs"), raw.get("meta")
    if not isinstance(kwargs, dict):
        raise _broken(path, f"{at}.kwargs", "must be an object")
    if not isinstance(meta, dict):
        raise _broken(path, f"{at}.meta", "must be an object")
    words = {}
    for name in ("rule_id", "severity", "field", "owner", "title_vi", "explanation_vi"):
        value = meta.get(name)
        if not isinstance(value, str) or not value.strip():
            raise _broken(path, f"{at}.meta.{name}", "must be a text that is not blank")
        words[name] = value
    if words["severity"] not in set(Severity):
        raise _broken(path, f"{at}.meta.severity", f"must be one of {', '.join(Severity)}")
    if words["field"] not in (*_KEYS, "child_key", *(name for each in kind.entities for name in each.names)):
        raise _broken(path, f"{at}.meta.field", f"{words['field']!r} is not a field of a {spec.entity}")
    sql_name = meta.get("sql")
    sql = _sql_of(home, path, kind, at, sql_name, kwargs) if raw["type"] == SQL_EXPECTATION else None
    if sql is None:
        _check_built_in(path, at, raw["type"], sql_name, kwargs)
    return Rule(
        words["rule_id"], spec.entity, Severity(words["severity"]), words["field"], words["owner"], words["title_vi"],
        words["explanation_vi"], sql, sql_name,
    )  # fmt: skip


def _sql_of(home: Path, path: Path, kind: KindSpec, at: str, sql_name: Any, kwargs: Mapping[str, Any]) -> str:
    """The rule file, used by Great Expectations (as a suite parameter of its name) and by the violation statement."""
    if not isinstance(sql_name, str) or not sql_name.replace("_", "").isalnum():
        raise _broken(path, f"{at}.meta.sql", "must name a file of include/sql/quality/rules")
    if kwargs.get("unexpected_rows_query") != {"$PARAMETER": sql_name}:
        raise _broken(path, f"{at}.kwargs.unexpected_rows_query", f'must be {{"$PARAMETER": "{sql_name}"}}')
    file = home / "include" / "sql" / "quality" / "rules" / f"{sql_name}.sql"
    if not file.is_file():
        raise _broken(path, f"{at}.meta.sql", f"names {sql_name}.sql, which is not in include/sql/quality/rules")
    sql = read_rule(file)
    if "{batch}" not in sql:
        raise _broken(path, f"{at}.meta.sql", f"{sql_name}.sql does not read from {{batch}}")
    sql = sql.replace("{record}", f"{kind.name}.{kind.record}")
    try:
        sql.format(batch="batch")
    except (KeyError, IndexError, ValueError):
        what = f"{sql_name}.sql has a single brace besides {{batch}} and {{record}}"
        raise _broken(path, f"{at}.meta.sql", what) from None
    return sql


def _check_built_in(path: Path, at: str, kind: str, sql_name: Any, kwargs: Mapping[str, Any]) -> None:
    if sql_name is not None:
        raise _broken(path, f"{at}.meta.sql", f"belongs to {SQL_EXPECTATION} only")
    if not kind.startswith(_MAP_PREFIXES):
        raise _broken(path, f"{at}.type", f"{kind!r} can't name its failing rows; write the rule as an SQL file")
    # Great Expectations leaves the row condition out of the query of failing rows, and `mostly` hides failures.
    if kwargs.get("row_condition") is not None:
        raise _broken(path, f"{at}.kwargs.row_condition", "is not supported here; write the rule as an SQL file")
    if kwargs.get("mostly", 1) != 1:
        raise _broken(path, f"{at}.kwargs.mostly", "must be left out: every failing row is kept")


def _broken(path: Path, key: str, what: str) -> ContractError:
    return ContractError(
        f"The suite can't be used: {key} {what}.",
        next_step="correct the suite and run the gate again; nothing was changed.",
        key=f"expectations/{path.name}: {key}",
    )
