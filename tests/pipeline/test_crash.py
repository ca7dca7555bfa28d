"""kill -9 at any point: readers have the old or the new state, and the next run finishes the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from lienthong.pipeline.load import open_load
from tests.world import STEPS, Live

SOURCE = "opencps_h17"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Callable[[], object]) -> None:
    """Run `work` in a child process that must be killed by itself on the way."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL, f"the child was meant to be killed, it ended with {child.exitcode}"


def dying_at_statement(live: Live, step: Callable[[Any, int], object], load_id: int, number: int) -> Callable[[], None]:
    """A step that is killed just before its `number`-th statement in the warehouse."""

    def work() -> None:
        from lienthong.warehouse.engine import engine_for

        engine_for.cache_clear()  # the parent's connections must not be shared
        seen = iter(range(1, 10_000))

        def count(*_: Any) -> None:
            if next(seen) == number:
                die()

        event.listen(live.engine, "before_cursor_execute", count)
        step(live.rt, load_id)

    return work


def statements_of(live: Live, run_key: str) -> dict[str, int]:
    """How many statements each step of a load runs, counted on an undisturbed load."""
    counts = {}
    load_id = open_load(live.rt, SOURCE, run_key)
    for name, step in STEPS.items():
        seen = []

        def count(*_: Any, seen: list[int] = seen) -> None:
            seen.append(1)

        event.listen(live.engine, "before_cursor_execute", count)
        step(live.rt, load_id)
        event.remove(live.engine, "before_cursor_execute", count)
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
    from sqlalchemy import text

    with live.engine.begin() as connection:
        tables = connection.execute(
            text(
                "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables "
                "WHERE schemaname IN ('staging', 'dossier', 'quality', 'exchange') "
                "OR (schemaname = 'ops' AND tablename IN ('load', 'load_count', 'watermark', 'finding')) "
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
        for number in sorted({1, total // 2, total - 1, total} - {0}):
            empty(live)
            load_id = open_load(live.rt, SOURCE, f"{name}-{number}")
            for earlier, step in STEPS.items():
                if earlier == name:
                    break
                step(live.rt, load_id)
            before = live.contents()
            killed(dying_at_statement(live, STEPS[name], load_id, number))
            assert live.contents() == before, f"{name} killed at statement {number} left a half state"
            for step in STEPS.values():
                step(live.rt, load_id)
            assert live.contents() == expected, f"{name} killed at statement {number}"


def test_an_extract_killed_between_two_pages_starts_over_and_leaves_nothing_behind(
    live: Live, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    from pathlib import Path

    from lienthong.landing import BatchWriter

    load_id = open_load(live.rt, SOURCE, "pages")

    def work() -> None:
        from lienthong.warehouse.engine import engine_for

        engine_for.cache_clear()
        original, written = BatchWriter.write, iter(range(1, 1000))

        def write(self: BatchWriter, *args: Any) -> None:
            original(self, *args)
            if next(written) == 3:
                die()

        BatchWriter.write = write  # type: ignore[method-assign]
        STEPS["extract"](live.rt, load_id)

    killed(work)
    for step in STEPS.values():
        step(live.rt, load_id)
    assert live.contents() == expected
    landed = [
        path for path in Path(live.folder / "landing").rglob("*") if path.is_file() and str(load_id) in path.parts
    ]
    assert len({path.parent for path in landed}) == 1, "the killed attempt's files are gone"


@pytest.mark.parametrize("step", ["gate", "merge"])
def test_rows_that_a_database_crash_emptied_from_staging_are_staged_again(
    live: Live, expected: dict[str, list[tuple[Any, ...]]], step: str
) -> None:
    from sqlalchemy import text

    load_id = open_load(live.rt, SOURCE, "emptied")
    for earlier, work in STEPS.items():
        if earlier == step:
            break
        work(live.rt, load_id)
    with live.engine.begin() as connection:
        connection.execute(text("TRUNCATE staging.step__h17, staging.dossier__h17"))
    for work in STEPS.values():
        work(live.rt, load_id)
    assert live.contents() == expected


def test_a_push_killed_after_the_portal_answered_sends_no_dossier_and_no_step_twice(live: Live) -> None:
    live.sync_catalogue()
    live.load(SOURCE)

    def work() -> None:
        from lienthong.exchange.client import PortalClient
        from lienthong.warehouse.engine import engine_for

        engine_for.cache_clear()
        original, calls = PortalClient.call, iter(range(1, 1000))

        def call(self: PortalClient, *args: Any, **kwargs: Any) -> Any:
            answer = original(self, *args, **kwargs)
            if next(calls) == 4:
                die()
            return answer

        PortalClient.call = call  # type: ignore[method-assign]
        live.push("H17")

    killed(work)
    from datetime import timedelta

    live.clock += timedelta(hours=1)  # the killed push's leases run out
    live.push("H17")
    writes = {stored.code: stored.writes for stored in live.portal.store.dossiers("H17")}
    assert len(writes) > 300
    assert set(writes.values()) == {1}
    steps = [(step.code, str(sorted(step.body.items()))) for step in live.portal.store.steps()]
    assert len(steps) == len(set(steps))
