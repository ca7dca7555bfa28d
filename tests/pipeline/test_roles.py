"""Every step works with the login of its own role and no other, from a warehouse in which nothing is yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from rich.console import Console

from lienthong.cli import summary
from lienthong.connections import WAREHOUSE, Role
from lienthong.pipeline import views
from lienthong.pipeline.freshness import evaluate
from lienthong.pipeline.push import owing
from lienthong.pipeline.score import publish, score
from lienthong.pipeline.shadow import shadow
from lienthong.settings import PROJECT
from tests.pipeline.conftest import running
from tests.world import MONTH, Live

SOURCE, TENANT = "opencps_h17", "H17"


@pytest.fixture(scope="module")
def alone(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A small world and an empty warehouse, of which only the five logins are known."""
    with running(request, small=True) as live:
        live.connections |= {role.conn_id: live.wiring.resolve(role.conn_id) for role in Role}
        shared = live.connections.pop(WAREHOUSE)
        yield live
        live.connections[WAREHOUSE] = shared


def test_every_step_works_with_the_login_of_its_role(alone: Live) -> None:
    """A tenant that nobody has met: a login that makes no tables opens its partitions."""
    assert alone.sync_catalogue()["procedures"]
    loaded = alone.load(SOURCE)
    assert loaded["dossier"]["inserted"] > 50
    assert alone.load(SOURCE, mode="full")["dossier"]["inserted"] == 0
    assert owing(alone.rt) == [TENANT]
    assert alone.push(TENANT)["pushed"]["delivered"] > 20
    assert shadow(alone.rt, TENANT, alone.key("shadow"), limit=5).counts()
    run_id = score(alone.rt, MONTH, alone.key("score"))
    assert publish(alone.rt, run_id)["workbook"]
    assert evaluate(alone.rt)["open"] >= 0
    assert views.status(alone.rt).sources
    assert views.source_detail(alone.rt, SOURCE)
    assert views.scored_month(alone.rt, run_id)
    for step in (views.extracted_load, views.staged_load, views.gated_load):
        assert step(alone.rt, 1)
    summary.print_summary(alone.rt, Console(quiet=True), run_id=run_id, reports={}, logs="")


def test_every_step_names_its_role() -> None:
    """A call without a role takes the shared login: right in a test, wrong in a step."""
    nameless = [
        f"{file.relative_to(PROJECT)}:{node.lineno}"
        for folder in ("plugins", "dags", "devstack")
        for file in sorted((PROJECT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "warehouse"
        and not (node.args or node.keywords)
    ]
    assert nameless == []
