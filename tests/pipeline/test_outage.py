"""A database that restarts in the middle of any phase: one clear error, the same step again, nothing lost or doubled.

The server is restarted for real, just before the n-th statement of a step; its connections die, rows that were not
committed are gone, and after an immediate shutdown PostgreSQL empties the unlogged staging tables.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from devstack.postgres import Postgres, home_for
from lienthong.connections import WAREHOUSE
from lienthong.exchange import evidence
from lienthong.exchange.settings import load_portal_settings
from lienthong.model.errors import LienThongError, SourceUnreachableError, WarehouseUnreachableError
from lienthong.pipeline.adopt import adopt
from lienthong.pipeline.catalogue import sync_catalogue
from lienthong.pipeline.freshness import evaluate
from lienthong.pipeline.load import open_load
from lienthong.pipeline.push import push
from lienthong.pipeline.score import publish, score
from lienthong.pipeline.shadow import shadow
from lienthong.warehouse.bootstrap.migrate import upgrade
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.conftest import REPO
from tests.world import MONTH, SEED, STEPS, Live, database_connection

SOURCE, TENANT, DOSSIERS = "opencps_h17", "H17", 90
Contents = dict[str, list[tuple[Any, ...]]]

pytestmark = pytest.mark.xdist_group("outage")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of our own that keeps what it committed, and that nobody else misses while it restarts."""
    started = Postgres(home_for(REPO, "tests") / "outage")
    shutil.rmtree(started.home, ignore_errors=True)
    started.start()
    yield started
    started.stop()
    shutil.rmtree(started.home, ignore_errors=True)


@pytest.fixture(scope="module")
def world() -> World:
    return World.generate(SEED, DOSSIERS, MONTH, provinces=(TENANT,))


@pytest.fixture(scope="module")
def live(server: Postgres, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The world with its source and its warehouse, the catalogue read."""
    for name in ("source", "warehouse"):
        server.create_database(name)
    install(world, TENANT, server.url("source"))
    engine = create_engine(server.url("warehouse"))
    upgrade(engine)
    engine.dispose()
    with PortalServer(world) as portal:
        started = Live(
            world, {TENANT: server.url("source")}, portal, server.url("warehouse"), tmp_path_factory.mktemp("outage")
        )
        started.sync_catalogue()
        yield started
    started.engine.dispose()


@pytest.fixture(scope="module")
def undisturbed(live: Live) -> tuple[Contents, dict[str, int]]:
    """What a load that nothing disturbs leaves behind, and how many statements each of its steps runs."""
    counts = {}
    load_id = open_load(live.rt, SOURCE, "undisturbed")
    for name, step in STEPS.items():
        counts[name] = statements(partial(step, live.rt, load_id))
    contents = live.contents()
    empty(live)
    return contents, counts


def empty(live: Live) -> None:
    """The warehouse as before the first load."""
    tables = live.rows(
        "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables "
        "WHERE schemaname IN ('landing', 'staging', 'dossier', 'quality', 'freshness') "
        "OR (schemaname = 'ops' AND tablename IN ('load', 'load_count', 'watermark', 'finding')) "
        "OR (schemaname = 'registry' AND tablename LIKE 'service%')"
    )[0][0]
    with live.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables}"))


@contextmanager
def at_statement(
    database: str, number: int, act: Callable[[], None], moment: str = "before_cursor_execute"
) -> Iterator[list[str]]:
    """`act` once, at the `number`-th statement of this process in a database; yields what was run there.

    Listens to every engine: Great Expectations has one of its own.
    """
    seen: list[str] = []

    def count(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection.engine.url.database == database:
            seen.append(statement)
            if len(seen) == number:
                act()

    event.listen(Engine, moment, count)
    try:
        yield seen
    finally:
        event.remove(Engine, moment, count)


def statements(work: Callable[[], object], database: str = "warehouse") -> int:
    with at_statement(database, 0, lambda: None) as seen:
        work()
    return len(seen)


def by_hand(server: Postgres) -> None:
    """Restarted by an administrator: what is committed is written to disk, sessions are ended."""
    server.stop()
    server.start()


def after_a_crash(server: Postgres) -> None:
    """Restarted as after a power cut: unlogged tables are emptied."""
    server.kill()
    server.start()


def is_told(error: LienThongError, *words: str) -> None:
    """One clear error: whose, what, what next; none of the driver's words, no SQL."""
    message = str(error)
    for word in (*words, "Next: ", "by itself"):
        assert word in message
    for word in ("SELECT", "UPDATE", "INSERT", "COPY", "server closed", "terminating", "Background"):
        assert word not in message


def interrupted(
    work: Callable[[], object],
    number: int,
    restart: Callable[[], None],
    database: str = "warehouse",
    **options: str,
) -> LienThongError:
    """The error of some work during which the database restarts at a statement of the warehouse."""
    with at_statement(database, number, restart, **options), pytest.raises(WarehouseUnreachableError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("name", list(STEPS))
def test_the_warehouse_restarts_in_a_step_of_a_load(
    live: Live, server: Postgres, undisturbed: tuple[Contents, dict[str, int]], name: str
) -> None:
    expected, counts = undisturbed
    empty(live)
    load_id = open_load(live.rt, SOURCE, f"disturbed-{name}")
    for earlier, step in STEPS.items():
        if earlier == name:
            break
        step(live.rt, load_id)
    # A merge reads its counts and looks for open findings after it has committed.
    last = counts[name] - (3 if name == "merge" else 0)
    for number, stop, moment in (
        (2, by_hand, "before_cursor_execute"),
        (last, by_hand, "before_cursor_execute"),
        ((last + 1) // 2, Postgres.kill, "after_cursor_execute"),  # in `stage` the next thing is a COPY
    ):
        before = live.contents()
        error = interrupted(lambda: STEPS[name](live.rt, load_id), number, partial(stop, server), moment=moment)
        server.start()
        is_told(error, f"source {SOURCE}", f"load {load_id}", "key lienthong_warehouse")
        assert error.__cause__ is None, "the driver's words don't travel along"
        assert live.contents() == before, f"{name} left a half state at statement {number}"
    for step in STEPS.values():
        step(live.rt, load_id)
    assert live.contents() == expected
    assert live.rows("SELECT state, error FROM ops.load WHERE load_id = :id", id=load_id) == [("merged", None)]


def test_the_source_restarts_while_it_is_read(
    live: Live, server: Postgres, undisturbed: tuple[Contents, dict[str, int]]
) -> None:
    empty(live)
    load_id = open_load(live.rt, SOURCE, "source")
    for number, restart in ((1, by_hand), (6, after_a_crash), (12, by_hand)):
        with (
            at_statement("source", number, partial(restart, server), "after_cursor_execute"),
            pytest.raises(SourceUnreachableError) as caught,
        ):
            STEPS["extract"](live.rt, load_id)
        is_told(caught.value, f"source {SOURCE}", f"load {load_id}", "key src_opencps_h17")
    [(state, error)] = live.rows("SELECT state, error FROM ops.load WHERE load_id = :id", id=load_id)
    assert (state, error) == ("opened", f"extract: {caught.value}"), "the ledger keeps the words"
    assert list(live.folder.joinpath("landing").rglob("*.partial")) == []
    for step in STEPS.values():
        step(live.rt, load_id)
    assert live.contents() == undisturbed[0]


def test_the_warehouse_restarts_in_a_catalogue_sync(live: Live, server: Postgres) -> None:
    def registry() -> list[tuple[Any, ...]]:
        return live.rows(
            "SELECT md5(string_agg(p::text, '|' ORDER BY p.procedure_code)) FROM registry.procedure p"
        ) + live.rows("SELECT md5(string_agg(a::text, '|' ORDER BY a.agency_code)) FROM registry.agency a")

    expected = registry()
    last = statements(live.sync_catalogue)
    for number, restart in ((2, by_hand), (last // 2, after_a_crash), (last, by_hand)):
        error = interrupted(lambda: sync_catalogue(live.rt, "disturbed"), number, partial(restart, server))
        is_told(error, "key lienthong_warehouse")
        assert registry() == expected
    done = sync_catalogue(live.rt, "disturbed")
    assert done["changed"] == 0
    assert done["procedures"]
    assert registry() == expected


def test_the_warehouse_restarts_in_a_score(live: Live, server: Postgres) -> None:
    live.load(SOURCE)

    def scores() -> list[tuple[Any, ...]]:
        return live.rows(
            "SELECT run_id, agency_code, component_id, numerator, denominator, score FROM indices.component_score "
            "ORDER BY 1, 2, 3"
        )

    last = statements(lambda: score(live.rt, MONTH, "undisturbed"))
    reference = scores()
    assert reference
    for number, restart in ((1, by_hand), (last // 2, after_a_crash), (last, by_hand)):
        error = interrupted(lambda: score(live.rt, MONTH, "disturbed"), number, partial(restart, server))
        is_told(error, "key lienthong_warehouse")
        assert scores() == reference, "readers see all of a run or nothing"
    run_id = score(live.rt, MONTH, "disturbed")
    assert [row[1:] for row in scores() if row[0] == run_id] == [row[1:] for row in reference]
    is_told(interrupted(lambda: publish(live.rt, run_id), 2, lambda: by_hand(server)), "key lienthong_warehouse")
    assert all(Path(path).stat().st_size for path in publish(live.rt, run_id).values())


def test_the_warehouse_restarts_in_an_evaluation_of_freshness(live: Live, server: Postgres) -> None:
    live.load(SOURCE)
    late = replace(live.wiring, clock=live.clock + timedelta(days=3)).rt  # there is something to find
    found: dict[str, Callable[[], list[tuple[Any, ...]]]] = {
        "findings": lambda: live.rows(
            "SELECT tenant, source_id, kind, subject, severity, since, close_reason FROM freshness.finding "
            "ORDER BY 1, 2, 3, 4"
        ),
        "days": lambda: live.rows("SELECT * FROM freshness.source_day ORDER BY 1, 2, 3"),
    }

    def known() -> Contents:
        return {name: rows() for name, rows in found.items()}

    def forget() -> None:
        with live.engine.begin() as connection:
            connection.execute(text("TRUNCATE freshness.finding, freshness.finding_day, freshness.source_day"))

    forget()
    last = statements(lambda: evaluate(late))
    expected, nothing = known(), {name: [] for name in found}
    assert all(expected.values())
    for number, restart in ((2, by_hand), (last // 2, after_a_crash), (last, by_hand)):
        forget()
        error = interrupted(lambda: evaluate(late), number, partial(restart, server))
        is_told(error, "key lienthong_warehouse")
        assert known() == (expected if number == last else nothing), "a source is judged whole or not at all"
        assert evaluate(late)["open"] == len(expected["findings"])
        assert known() == expected


def test_the_warehouse_restarts_while_deliveries_are_derived_and_sent(
    live: Live, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.load(SOURCE)

    def push_once() -> object:
        return push(live.rt, TENANT, live.key("push"), send_history=True)

    for number, restart in ((1, by_hand), (8, after_a_crash), (30, by_hand)):
        is_told(interrupted(push_once, number, partial(restart, server)), "key lienthong_warehouse")
    live.clock += timedelta(minutes=15)  # what the interrupted push had leased is free again

    # The warehouse stays away, the portal's answer is lost: the dossiers are asked about, not sent again.
    monkeypatch.setattr(evidence, "HOLD_S", 0.0)
    after_answer(monkeypatch, "send_dossiers", 1, server.stop)
    with pytest.raises(WarehouseUnreachableError) as caught:
        push_once()
    is_told(caught.value, "key lienthong_warehouse")
    server.start()
    monkeypatch.undo()
    live.clock += timedelta(minutes=15)

    # It restarts: what the portal said is held until it is back.
    after_answer(monkeypatch, "send_dossiers", 1, lambda: after_a_crash(server))
    after_answer(monkeypatch, "send_steps", 3, lambda: after_a_crash(server))
    push_once()
    delivered_once(live)


def after_answer(monkeypatch: pytest.MonkeyPatch, name: str, after: int, act: Callable[[], None]) -> None:
    """Act when the portal has given its `after`-th answer to a call and nothing is recorded of it."""
    from lienthong.exchange.client import PortalClient

    original, answers = getattr(PortalClient, name), iter(range(1, 100_000))

    def send(self: PortalClient, *arguments: Any, **options: Any) -> Any:
        answer = original(self, *arguments, **options)
        if next(answers) == after:
            act()
        return answer

    monkeypatch.setattr(PortalClient, name, send)


def delivered_once(live: Live) -> None:
    """The portal holds what the ledger says it holds: every dossier, every step once."""
    stored = {dossier.code: dossier.writes for dossier in live.portal.store.dossiers(TENANT)}
    acknowledged = live.rows("SELECT acked_code FROM exchange.delivery WHERE acked_code IS NOT NULL")
    assert sorted(stored) == sorted(code for (code,) in acknowledged)
    assert len(stored) > DOSSIERS // 2
    batch = load_portal_settings(live.settings.portal).batch_size
    assert sum(writes - 1 for writes in stored.values()) <= batch, "only what was in doubt was updated once more"
    assert live.rows("SELECT count(*) FROM exchange.delivery WHERE state IN ('owed', 'sending', 'unsettled')") == [(0,)]
    steps = [(step.code, str(sorted(step.body.items()))) for step in live.portal.store.steps()]
    assert len(steps) == len(set(steps))
    assert live.rows("SELECT state, count(*) FROM exchange.step_delivery WHERE sent_at IS NOT NULL GROUP BY state") == [
        ("acknowledged", len(steps))
    ], "no step is in doubt"


@pytest.fixture(scope="module")
def taking_over(live: Live, server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A portal that another program filled, and a warehouse, `taking`, that holds the dossiers and sent nothing."""
    live.load(SOURCE)
    push(live.rt, TENANT, live.key("push"), send_history=True)
    live.portal.switches = live.portal.switches.changed({"lookup_fields": "full"})
    known = live.connections[WAREHOUSE], live.settings
    live.connections[WAREHOUSE] = database_connection(WAREHOUSE, server.url("taking"))
    live.settings = replace(live.settings, landing_url=tmp_path_factory.mktemp("taking").as_uri())
    server.create_database("taking")
    upgrade(live.engine)
    live.sync_catalogue()
    live.load(SOURCE)
    live.engine.dispose()
    yield live
    live.connections[WAREHOUSE], live.settings = known


@pytest.mark.parametrize("name", ["shadow", "adopt"])
def test_the_warehouse_goes_away_while_the_portal_is_asked(
    taking_over: Live, server: Postgres, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    live = taking_over

    def ask() -> object:
        if name == "shadow":
            return shadow(live.rt, TENANT, live.key(name))
        return adopt(live.rt, TENANT, live.key(name), verify=True)

    def known() -> Contents:
        return {
            "compared": live.rows("SELECT dossier_code, verdict, kinds, fields FROM exchange.comparison ORDER BY 1"),
            "owed": live.rows("SELECT dossier_code, state, adoption, acked_code FROM exchange.delivery ORDER BY 1"),
        }

    def begin(database: str) -> None:
        live.engine.dispose()
        server.create_database(database, "taking")
        live.connections[WAREHOUSE] = database_connection(WAREHOUSE, server.url(database))

    def held() -> dict[str, int]:
        return {dossier.code: dossier.writes for dossier in live.portal.store.dossiers(TENANT)}

    before = held()
    begin(f"{name}_undisturbed")
    last = statements(ask, f"{name}_undisturbed")
    expected, summary = known(), ask()
    assert len(expected["compared"]) > DOSSIERS // 2
    for moment in ("in the middle", "at the end"):
        database = f"{name}_{moment}"
        begin(database)
        if moment == "in the middle":  # nothing can be given back: the portal answered, and the warehouse stays away
            after_answer(monkeypatch, "find_dossier", 30, server.kill)
        number = last if moment == "at the end" else 0
        is_told(interrupted(ask, number, server.stop, database), "key lienthong_warehouse")
        monkeypatch.undo()
        server.start()
        live.clock += timedelta(minutes=15)  # what the interrupted run had leased is free again
        assert ask() == summary
        assert known() == expected
    live.engine.dispose()
    assert held() == before, "asking sends nothing"
