"""docs/catalogue.md: every DAG, every expectation and every source contract, written from the code.

`python -m devstack.catalogue` writes the page, `--check` fails when the page is not what would be written. The DAG
files are read by Airflow's own DagBag; no database and no scheduler is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
PAGE = REPO / "docs" / "catalogue.md"
SYNC = "_sync__"
SEVERITIES = {
    "reject": "the row goes to quarantine, the rest of the load goes on",
    "block": "the dossier is stored and scored, and is not sent to the portal until it is put right",
    "warn": "recorded, nothing else happens",
}
INTRO = """\
# Catalogue

What there is, written by `make docs` from the code; `make lint` fails when this page is out of date. Don't edit it.

- **[DAGs](#dags)**: what Airflow runs, when, and what a run can be asked for. For data engineers.
- **[Expectations](#expectations)**: every rule that incoming dossiers are held against, who puts a failure right, and
  how. For quality teams; titles and explanations are shown in Vietnamese, as in the quarantine report.
- **[Sources](#sources)**: the systems that are read. One contract, `include/sources/<source>.yaml`, is one DAG.

A term that you don't know is in the [glossary](glossary.md).
"""


def page(home: Path = REPO) -> str:
    """The whole page for the checkout (or installation) in `home`."""
    return "\n".join([INTRO, *_dags(home), *_expectations(home), *_sources(home)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack.catalogue", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is out of date")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write or check")
    options = parser.parse_args(arguments)
    wanted = page()
    if options.check:
        if options.page.exists() and options.page.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{options.page.name} is out of date. Next: make docs, and commit what it changed.", file=sys.stderr)
        return 1
    options.page.write_text(wanted, encoding="utf-8")
    return 0


def _dags(home: Path) -> Iterator[str]:
    """One section per DAG; the load DAGs share one, for they differ in schedule only."""
    dags = _loaded(home)
    yield "## DAGs\n"
    yield (
        "Times are Vietnam's. A DAG is paused until somebody unpauses it. Every task may be run again, or twice at "
        "once: it gives the same tables.\n"
    )
    yield from _table(
        ("DAG", "when", "what"),
        ((f"[`{dag_id}`](#{_anchor(_link(dag_id))})", _when(dag), _summary(dag)) for dag_id, dag in dags.items()),
    )
    shown: set[str] = set()
    for dag_id, dag in dags.items():
        name = _link(dag_id)
        if name in shown:
            continue
        shown.add(name)
        yield f"### `{name}`\n"
        yield _doc(dag) + "\n"
        if name == dag_id:
            yield f"Runs: {_when(dag)}. Runs at once: {dag.max_active_runs}. Tags: {', '.join(sorted(dag.tags))}.\n"
        else:
            yield f"Runs: as the contract says, see [sources](#sources). Runs at once: {dag.max_active_runs}.\n"
        yield from _table(
            ("task", "after", "tries", "time limit", "what"),
            (
                (
                    f"`{task.task_id}`" + (" (one per item)" if type(task).__name__.endswith("MappedOperator") else ""),
                    ", ".join(f"`{before}`" for before in sorted(task.upstream_task_ids)),
                    str(task.retries + 1),
                    str(task.execution_timeout),
                    _task_doc(task),
                )
                for task in dag.topological_sort()
            ),
        )
        if dag.params:
            yield from _table(
                ("parameter", "default", "values", "meaning"),
                (
                    (
                        f"`{key}`",
                        "" if param.value is None else f"`{param.value}`",
                        _values(param.schema),
                        param.description or "",
                    )
                    for key, param in ((key, dag.params.get_param(key)) for key in dag.params)
                ),
            )


def _loaded(home: Path) -> dict[str, Any]:
    """Every DAG of `home` by id, sorted. RuntimeError when a file can't be imported."""
    with tempfile.TemporaryDirectory(prefix="lienthong-catalogue-") as airflow_home:
        for name in [name for name in os.environ if name.startswith(("AIRFLOW", "_AIRFLOW", "LIENTHONG"))]:
            del os.environ[name]
        os.environ["AIRFLOW_HOME"] = airflow_home
        os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
        os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(home / "plugins")
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=home / "dags", bundle_path=home / "dags")
    if bag.import_errors:
        raise RuntimeError(f"DAG files that can't be imported: {dict(bag.import_errors)}")
    return dict(sorted(bag.dags.items()))


def _link(dag_id: str) -> str:
    kind, sync, _ = dag_id.partition(SYNC)
    return f"{kind}{SYNC}<source>" if sync else dag_id


def _anchor(heading: str) -> str:
    """The fragment that a heading gets."""
    return "".join(char for char in heading.lower() if char.isalnum() or char in "_-")


def _when(dag: Any) -> str:
    """Schedule in words: cron, assets, or by hand."""
    expressions = [cron.expression for cron in getattr(dag.timetable, "timetables", [dag.timetable]) if _is_cron(cron)]
    if expressions:
        return ", ".join(f"`{expression}`" for expression in expressions)
    return "when dossiers of any source changed" if "Asset" in type(dag.timetable).__name__ else "by hand"


def _is_cron(timetable: Any) -> bool:
    return bool(getattr(timetable, "expression", None))


def _doc(dag: Any) -> str:
    """The docstring of the DAG's file, without the title that a factory puts above it."""
    lines = (dag.doc_md or "").strip().splitlines()
    return "\n".join(lines[1:] if lines and lines[0].startswith("# ") else lines).strip()


def _summary(dag: Any) -> str:
    title = dag.description or ""
    first = _doc(dag).split("\n\n")[0].replace("\n", " ")
    return title if SYNC in dag.dag_id else first


def _task_doc(task: Any) -> str:
    """First paragraph of a task's docstring."""
    function = getattr(task, "python_callable", None) or getattr(task, "partial_kwargs", {}).get("python_callable")
    return (getattr(function, "__doc__", None) or "").strip().split("\n\n")[0]


def _values(schema: dict[str, Any]) -> str:
    """What a parameter may be, from its JSON schema."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kinds = schema.get("type", "anything")
    words = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    form = schema.get("format") or schema.get("pattern")
    return " or ".join(words) + (f", `{form}`" if form else "")


def _expectations(home: Path) -> Iterator[str]:
    """One table per suite, in the order in which the rules are applied."""
    from lienthong.model.kinds import KINDS
    from lienthong.quality.suites import load_suites

    suites = {
        entity: suite
        for kind in KINDS.values()
        if (home / "expectations" / f"{kind.root.entity}.json").exists()
        for entity, suite in load_suites(home, kind).items()
    }
    yield "## Expectations\n"
    yield f"{sum(len(suite.rules) for suite in suites.values())} rules. What a failure does:\n"
    yield "\n".join(f"- `{severity}`: {what}" for severity, what in SEVERITIES.items()) + "\n"
    for entity, suite in suites.items():
        yield f"### {entity}: `expectations/{suite.path.name}`\n"
        kinds = [str(raw["type"]) for raw in suite.document["expectations"]]
        yield from _table(
            ("rule", "severity", "field", "who puts it right", "tên", "giải thích", "checked by"),
            (
                (
                    f"`{rule.rule_id}`",
                    rule.severity.value,
                    f"`{rule.field}`",
                    rule.owner,
                    _text(rule.title_vi),
                    _text(rule.explanation_vi),
                    f"[{rule.sql_name}.sql](../include/sql/quality/rules/{rule.sql_name}.sql)"
                    if rule.sql_name
                    else f"`{kind}`",
                )
                for rule, kind in zip(suite.rules, kinds, strict=True)
            ),
        )


def _text(words: str) -> str:
    """Plain words as Markdown: `<mã cơ quan>` is not HTML."""
    return words.replace("<", "&lt;")


def _sources(home: Path) -> Iterator[str]:
    """One row per contract."""
    from lienthong.sources.contract import load_contracts

    yield "## Sources\n"
    yield from _table(
        ("source", "title", "tenant", "kind", "schedule", "everything", "mode", "precedence", "reads"),
        (
            (
                f"[`{contract.source_id}`](../include/sources/{contract.source_id}.yaml)",
                contract.title,
                contract.tenant,
                contract.profile,
                f"`{contract.schedule}`",
                f"`{contract.full}`" if contract.full else "by hand",
                sent.mode.value if (sent := contract.section.delivery) else "not sent",
                str(sent.precedence) if sent else "",
                ", ".join(contract.section.entities),
            )
            for contract in load_contracts(home / "include" / "sources").values()
        ),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, with an empty line after it."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
