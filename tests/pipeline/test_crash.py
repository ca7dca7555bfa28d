"""kill -9 at any point: readers have the old or the new state, and the next run finishes the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from devstack.postgres import Postgres
from lienthong.connections import Role
from lienthong.exchange.settings import CALLS_AHEAD, load_portal_settings
from lienthong.pipeline.catalogue import sync_catalogue
from lienthong.pipeline.load import open_load
from lienthong.pipeline.push import push
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.score import score
from tests.pipeline.small import small_live
from tests.world import MONTH, STEPS, Live, Wiring

__all__ = ["small_live"]  # a fixture

SOURCE = "opencps_h17"


#: Children start from a clean process (no threads to inherit) that has already imported what is slow to import.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["lienthong.pipeline.load", "lienthong.sources.systems.opencps.profile", "great_expectations"]
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Callable[..., object], *arguments: object) -> None:
    """Run `work` in a child process that must be killed by itself on the way."""
    child = PROCESSES.Process(target=work, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, f"the child was meant to be killed, it ended with {child.exitcode}"


def die_at_statement(wiring: Wiring, step: str, load_id: int, number: int) -> None:
    """A step that is killed just before its `number`-th statement in the warehouse."""
    seen = iter(range(1, 10_000))

    def count(*_: Any) -> None:
        if next(seen) == number:
            die()

    for role in Role:
        event.listen(wiring.rt.warehouse(role), "before_cursor_execute", count)
    STEPS[step](wiring.rt, load_id)


#: Jobs that are not loads: name → what runs under a run key.
JOBS: dict[str, Callable[[Runtime, str], object]] = {
    "catalogue": sync_catalogue,
    "score": lambda rt, run_key: score(rt, MONTH, run_key),
}


def die_in_job(wiring: Wiring, job: str, run_key: str, number: int) -> None:
    """A job that is killed just before its `number`-th statement in the warehouse."""
    seen = iter(range(1, 1_000_000))

    def count(*_: Any) -> None:
        if next(seen) == number:
            die()

    for role in Role:
        event.listen(wiring.rt.warehouse(role), "before_cursor_execute", count)
    JOBS[job](wiring.rt, run_key)


def known(live: Live) -> dict[str, list[tuple[Any, ...]]]:
    """The registry, and every score ever computed, without the numbers of syncs and runs."""
    return {
        "registry": live.rows(
            "SELECT md5(string_agg((to_jsonb(p) - 'revision')::text, '|' ORDER BY p.procedure_code)) "
            "FROM registry.procedure p"
        )
        + live.rows("SELECT md5(string_agg(a::text, '|' ORDER BY a.agency_code)) FROM registry.agency a"),
        "scores": live.rows(
            "SELECT tenant, agency_code, component_id, numerator, denominator, score FROM indices.component_score "
            "ORDER BY run_id, 1, 2, 3"
        ),
    }


def die_after_an_answer(wiring: Wiring, tenant: str) -> None:
    """A push that is killed when the portal has answered the third batch and nothing is recorded of it."""
    from lienthong.exchange.client import PortalClient

    original, calls = PortalClient.send_dossiers, iter(range(1, 1000))

    def send(self: PortalClient, *args: Any, **kwargs: Any) -> Any:
        answer = original(self, *args, **kwargs)
        if next(calls) == 3:
            die()
        return answer

    PortalClient.send_dossiers = send  # type: ignore[method-assign]
    push(wiring.rt, tenant, "killed")


def statements_of(live: Live, run_key: str) -> dict[str, int]:
    """How many statements each step of a load runs, counted on an undisturbed load."""
    counts = {}
    load_id = open_load(live.rt, SOURCE, run_key)
    for name, step in STEPS.items():
        seen = []

        def count(*_: Any, seen: list[int] = seen) -> None:
            seen.append(1)

        for role in Role:
            event.listen(live.rt.warehouse(role), "before_cursor_execute", count)
        step(live.rt, load_id)
        for role in Role:
            event.remove(live.rt.warehouse(role), "before_cursor_execute", count)
        counts[name] = len(seen)
    return counts


@pytest.fixture
def expected(live: Live) -> dict[str, list[tuple[Any, ...]]]:
    """What an undisturbed load leaves behind, and then an empty warehouse again."""
    live.sync_catalogue()
    live.load(SOURCE)
    contents = live.contents()
    empty(live)
    return contents


def empty(live: Live) -> None:
    with live.engine.begin() as connection:
        tables = connection.execute(
            text(
                "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables "
                "WHERE schemaname IN ('staging', 'dossier', 'quality', 'exchange') "
                "OR (schemaname = 'ops' "
                "AND tablename IN ('load', 'reading', 'sighting', 'load_count', 'watermark', 'finding')) "
                "OR (schemaname = 'registry' AND tablename LIKE 'service%')"
            )
        ).scalar_one()
        connection.execute(text(f"TRUNCATE {tables}"))


def test_a_load_killed_at_any_step_and_run_again_gives_the_tables_of_an_undisturbed_one(
    live: Live, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    counts = statements_of(live, "count")
    assert live.contents() == expected
    assert min(counts.values()) >= 2, counts
    for name, total in counts.items():
        for number in sorted({1, (total + 1) // 2, total}):
            empty(live)
            load_id = open_load(live.rt, SOURCE, f"{name}-{number}")
            for earlier, step in STEPS.items():
                if earlier == name:
                    break
                step(live.rt, load_id)
            before = live.contents()
            killed(die_at_statement, live.wiring, name, load_id, number)
            assert live.contents() in (before, expected), f"{name} killed at statement {number} left a half state"
            for step in STEPS.values():
                step(live.rt, load_id)
            assert live.contents() == expected, f"{name} killed at statement {number}"


@pytest.mark.parametrize("step", ["gate", "merge"])
def test_rows_that_a_database_crash_emptied_from_staging_are_staged_again(
    live: Live, postgres: Postgres, expected: dict[str, list[tuple[Any, ...]]], step: str
) -> None:
    load_id = open_load(live.rt, SOURCE, "emptied")
    for earlier, work in STEPS.items():
        if earlier == step:
            break
        work(live.rt, load_id)
    with live.engine.connect() as connection:
        connection.exec_driver_sql("CHECKPOINT")
    postgres.kill()
    postgres.start()
    assert live.rows("SELECT count(*) FROM staging.dossier") == [(0,)], "PostgreSQL empties unlogged tables"
    for work in STEPS.values():
        work(live.rt, load_id)
    assert live.contents() == expected


#: What gives a job something to do: the registry differs from the portal. A score is another run in any case.
BEHIND: dict[str, str] = {
    "catalogue": "UPDATE registry.procedure SET name = 'Tên cũ', detail_hash = '\\x00' WHERE procedure_code = "
    "ANY (SELECT procedure_code FROM registry.procedure ORDER BY procedure_code LIMIT 20)",
    "score": "SELECT 1",
}


@pytest.mark.parametrize("job", JOBS)
def test_a_catalogue_sync_or_a_score_killed_half_way_leaves_the_old_state_and_is_finished_by_the_next(
    loaded: Live, job: str
) -> None:
    def fall_behind() -> None:
        with loaded.engine.begin() as connection:
            connection.execute(text(BEHIND[job]))

    statements = []

    def count(*_: Any) -> None:
        statements.append(1)

    fall_behind()
    untouched = known(loaded)
    for role in Role:
        event.listen(loaded.rt.warehouse(role), "before_cursor_execute", count)
    JOBS[job](loaded.rt, "undisturbed")
    for role in Role:
        event.remove(loaded.rt.warehouse(role), "before_cursor_execute", count)
    done = known(loaded)
    assert done != untouched, "a job that changes nothing proves nothing"
    assert len(statements) > 4
    for number in (3, len(statements) // 2, len(statements)):
        fall_behind()
        before = known(loaded)
        killed(die_in_job, loaded.wiring, job, f"killed-{number}", number)
        assert known(loaded) == before
        JOBS[job](loaded.rt, f"killed-{number}")
        after = known(loaded)
        assert after != before
        assert after["registry"] == done["registry"]
        assert set(after["scores"]) == set(done["scores"])
        runs = len(after["scores"]) / max(len(done["scores"]), 1)
        assert runs == len(before["scores"]) / max(len(done["scores"]), 1) + (job == "score"), "one whole run more"


def test_a_push_killed_after_the_portal_answered_leaves_doubts_and_sends_no_step_twice(
    loaded: Live,
) -> None:
    live = loaded
    killed(die_after_an_answer, live.wiring, "H17")
    live.clock += timedelta(hours=1)  # the killed push's leases run out
    live.push("H17")
    writes = {stored.code: stored.writes for stored in live.portal.store.dossiers("H17")}
    assert len(writes) > 300
    again = [code for code, number in writes.items() if number > 1]  # in flight: asked about, then updated to the same
    settings = load_portal_settings(live.settings.portal)
    assert len(again) <= CALLS_AHEAD * settings.workers * settings.batch_size
    assert {writes[code] for code in again} <= {2}
    steps = [(step.code, str(sorted(step.body.items()))) for step in live.portal.store.steps()]
    assert len(steps) == len(set(steps))


def test_a_warehouse_restored_to_an_earlier_day_loads_beside_what_landing_holds_of_later_ones(live: Live) -> None:
    live.sync_catalogue()
    live.load(SOURCE)
    before = live.contents()
    empty(live)
    with live.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ops.load ALTER COLUMN load_id RESTART"))
    live.load(SOURCE)
    assert live.contents()["source_record"] == before["source_record"]
