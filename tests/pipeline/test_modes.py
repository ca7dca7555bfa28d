"""From observing a source to owning its delivery: only what differs is sent, whatever history there is.

The tests that take `takeover` follow one cut-over from its beginning to its end: each builds on the one before.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from devstack.postgres import Postgres
from lienthong.cli import app
from lienthong.connections import WAREHOUSE
from lienthong.exchange.adoption import adoption_summary
from lienthong.exchange.compare import Difference, Verdict
from lienthong.exchange.shadow import compared_dossiers, shadow_summary
from lienthong.model.errors import ContractError, TerminalError
from lienthong.pipeline.adopt import adopt
from lienthong.pipeline.push import push
from lienthong.pipeline.shadow import shadow
from lienthong.pipeline.views import changed_code_maps
from simulator.opencps.advance import advance
from simulator.world import World
from tests.pipeline.conftest import running
from tests.pipeline.test_repeat import at_once
from tests.world import MONTH, SEED, SIZE, Live, Wiring, database_connection

SOURCE, TENANT = "opencps_h17", "H17"
pytestmark = pytest.mark.xdist_group("modes")
PROCESSES = multiprocessing.get_context("forkserver")


def set_mode(live: Live, mode: str, *, history: str | None = None) -> None:
    """Edit the contract as an engineer would."""
    path = live.settings.sources / f"{SOURCE}.yaml"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("  history:")]
    said = [f"  mode: {mode}", *([f"  history: {history}"] if history else [])]
    lines = [text for line in kept for text in (said if line.startswith("  mode:") else [line])]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def another_warehouse(live: Live, postgres: Postgres, name: str, template: str) -> None:
    """Put an empty warehouse, and an empty landing, in the place of the present ones."""
    live.settings = replace(live.settings, landing_url=(live.folder / name).as_uri())
    postgres.drop_database(name)
    postgres.create_database(name, template)
    live.connections[WAREHOUSE] = database_connection(WAREHOUSE, postgres.url(name))


def held(live: Live) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Everything the portal holds of the province: code → dossier, steps in order of arrival."""
    steps: dict[str, list[dict[str, Any]]] = {}
    for step in live.portal.store.steps():
        steps.setdefault(step.code, []).append(step.body)
    return {stored.code: (stored.body, steps.get(stored.code, [])) for stored in live.portal.store.dossiers(TENANT)}


def sent_since(live: Live, calls: int, service: str) -> set[str]:
    """Codes that were sent after the first `calls` calls."""
    return {code for call in list(live.portal.portal.calls)[calls:] if call.service == service for code in call.codes}


@dataclass
class Takeover:
    """A portal that a vendor's program filled, wrong in places; and our warehouse, which only observed so far."""

    live: Live
    before: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]
    stale: set[str]
    retired: set[str]
    lost: set[str]

    @property
    def wrong(self) -> set[str]:
        return self.stale | self.retired | self.lost

    def rewrite(self, code: str, **fields: str) -> None:
        body = self.before[code][0] | fields
        with self.live.portal.store.writing():
            self.live.portal.store.put_dossier(code, TENANT, body, 0)

    def lose(self, code: str) -> None:
        for table in ("dossier", "step"):
            self.live.portal.store._db.execute(f"DELETE FROM {table} WHERE code = ?", (code,))


@pytest.fixture(scope="module")
def takeover(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Takeover]:
    with running(request, World.generate(SEED, SIZE, MONTH)) as live:
        live.portal.switches = live.portal.switches.changed({"lookup_fields": "full"})
        live.sync_catalogue()
        live.load(SOURCE)
        live.push(TENANT)  # as the vendor's program
        before = held(live)
        finished = sorted(code for code, (body, steps) in before.items() if body["NgayKetThucXuLy"] and len(steps) > 2)
        dead = next(item.code for item in live.world.catalogue.procedures if item.state == "retired")
        stale, retired, lost = set(finished[:6]), set(finished[10:14]), set(finished[20:25])
        found = Takeover(live, before, stale, retired, lost)
        for code in stale:
            found.rewrite(code, TrangThaiHoSo="4", NgayKetThucXuLy="", NgayTra="")
        for code in retired:
            found.rewrite(code, MaTTHC=dead)
        for code in lost:
            found.lose(code)
        another_warehouse(live, postgres, "takeover", request.getfixturevalue("warehouse_template"))
        yield found
        live.disconnect()
    postgres.drop_database("takeover")


def test_observing_loads_the_history_and_asks_and_sends_nothing(takeover: Takeover) -> None:
    live = takeover.live
    set_mode(live, "observe")
    live.sync_catalogue()
    live.load(SOURCE)
    calls = len(live.portal.portal.calls)
    live.push(TENANT)
    assert len(live.portal.portal.calls) == calls
    assert live.rows("SELECT count(*) FROM exchange.delivery WHERE wanted_hash IS NOT NULL") == [(0,)]
    with pytest.raises(ContractError, match="mode: shadow"):
        shadow(live.rt, TENANT, live.key("shadow"))


def test_shadow_finds_exactly_what_is_wrong(takeover: Takeover) -> None:
    live = takeover.live
    set_mode(live, "shadow")
    writes = len(sent_since(live, 0, "DongBoHoSoMC"))
    first = shadow(live.rt, TENANT, live.key("shadow"), limit=120)
    assert first.dossiers - first.not_compared == 120
    whole = shadow(live.rt, TENANT, live.key("shadow"))
    assert whole.not_compared == 0
    assert sum(whole.verdicts.values()) == whole.dossiers > 300
    questions = [call for call in live.portal.portal.calls if call.service == "TraCuuHoSo"]
    assert len(questions) == whole.dossiers, "a second run goes on where the first stopped"
    assert len(sent_since(live, 0, "DongBoHoSoMC")) == writes

    def codes(kind: Difference) -> set[str]:
        return {found.code for found in compared_dossiers(live.engine, TENANT, kind, 1000)}

    assert codes(Difference.STATUS) == takeover.stale
    assert codes(Difference.PROCEDURE) == codes(Difference.RETIRED) == takeover.retired
    assert codes(Difference.DATES) == takeover.stale
    never_sent = codes(Difference.MISSING) - takeover.lost
    assert takeover.lost <= codes(Difference.MISSING)
    assert not never_sent & set(takeover.before), "the rest is what the vendor could not send either"
    assert whole.verdicts[Verdict.SAME] == whole.dossiers - len(takeover.wrong) - len(never_sent)
    assert whole.verdicts[Verdict.UNKNOWN] == 0
    status = next(found for found in compared_dossiers(live.engine, TENANT, Difference.STATUS))
    assert status.seen["TrangThaiHoSo"]["portal"] == "4"


def test_owning_a_history_that_nobody_decided_about_sends_nothing(takeover: Takeover) -> None:
    live = takeover.live
    set_mode(live, "own")
    calls = len(live.portal.portal.calls)
    with pytest.raises(TerminalError, match="more than 30 days ago") as refused:
        live.push(TENANT)
    for way in ("--verify", "--assume-finished-before", "--all-history"):
        assert way in refused.value.next_step
    assert len(live.portal.portal.calls) == calls
    assert live.rows("SELECT count(*) FROM exchange.delivery WHERE state = 'owed'") == [(0,)]
    assert live.rows("SELECT count(*) FROM exchange.sender") == [(0,)]


def test_adopting_decides_by_what_the_portal_shows(takeover: Takeover) -> None:
    live = takeover.live
    set_mode(live, "shadow")
    seen = shadow_summary(live.engine, TENANT)
    live.clock += timedelta(hours=1)
    part = adopt(live.rt, TENANT, live.key("adopt"), verify=True, limit=50)
    assert part.verified + part.delta == 50, "what was compared before the vendor stopped does not count"
    whole = adopt(live.rt, TENANT, live.key("adopt"), verify=True)
    assert (whole.verified, whole.assumed, whole.undecided) == (seen.verdicts[Verdict.SAME], 0, 0)
    assert whole.delta == seen.dossiers - whole.verified
    questions = len(live.portal.portal.calls)
    assert adopt(live.rt, TENANT, live.key("adopt"), verify=True) == whole
    assert len(live.portal.portal.calls) == questions, "a decided dossier is not asked about again"
    assert live.rows("SELECT count(*) FROM exchange.step_delivery") == [(0,)], "no steps of the past are noted"


def test_owning_sends_exactly_what_was_wrong(takeover: Takeover) -> None:
    live = takeover.live
    set_mode(live, "own")
    calls = len(live.portal.portal.calls)
    pushed: dict[str, Any] = live.push(TENANT)["pushed"]
    refused = sent_since(live, calls, "DongBoHoSoMC") - takeover.wrong
    assert not refused & set(takeover.before), "only what the vendor's program could not bring there either"
    assert pushed["rejected"] == len(refused)
    assert sent_since(live, calls, "DongBoHoSoMC") >= takeover.wrong
    assert sent_since(live, calls, "CapNhatTienDoHoSoMC") == takeover.lost
    assert held(live) == takeover.before


def test_a_second_push_sends_nothing(takeover: Takeover) -> None:
    live = takeover.live
    calls = len(live.portal.portal.calls)
    live.push(TENANT)
    assert len(live.portal.portal.calls) == calls


def test_from_then_on_new_dossiers_and_new_steps_arrive_and_no_old_step_does(takeover: Takeover) -> None:
    live = takeover.live
    before = held(live)
    calls = len(live.portal.portal.calls)
    changes = advance(live.world, TENANT, live.sources[TENANT], seed=11, changes=40)
    live.clock += timedelta(days=3)
    live.load(SOURCE)
    live.push(TENANT)
    moved = {entry.code for entry in live.world.ledger(TENANT) if entry.dossier_id in {c.dossier_id for c in changes}}
    assert sent_since(live, calls, "DongBoHoSoMC") <= moved
    after = held(live)
    for entry in live.world.ledger(TENANT):
        if entry.clean and entry.code:
            body, steps = after[entry.code]
            assert body["TrangThaiHoSo"] == entry.truth["TrangThaiHoSo"]
            assert steps == list(entry.steps), entry.code
    assert sum(len(steps) for _, steps in after.values()) > sum(len(steps) for _, steps in before.values())


@pytest.fixture(scope="module")
def vendors_work(
    request: pytest.FixtureRequest, loaded_warehouse: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What the portal holds after a vendor's program sent everything."""
    path = tmp_path_factory.mktemp("vendor") / "portal.sqlite"
    with running(request, warehouse_template=loaded_warehouse) as live:
        live.push(TENANT)
        live.portal.store.snapshot(path)
    return path


@pytest.fixture
def filled(loaded: Live, vendors_work: Path) -> Live:
    """A portal that a vendor's program filled, and our warehouse with the same history in mode shadow."""
    loaded.portal.switches = loaded.portal.switches.changed({"lookup_fields": "full"})
    with closing(sqlite3.connect(vendors_work)) as kept:
        kept.backup(loaded.portal.store._db)
    set_mode(loaded, "shadow")
    return loaded


def assumed(live: Live) -> set[str]:
    return {code for (code,) in live.rows("SELECT dossier_code FROM exchange.delivery WHERE adoption = 'assumed'")}


def test_a_declaration_takes_what_was_finished_before_a_day_as_delivered_and_can_be_verified_later(
    filled: Live,
) -> None:
    live = filled
    day = live.clock - timedelta(days=30)
    calls = len(live.portal.portal.calls)
    found = adopt(live.rt, TENANT, live.key("adopt"), assume_finished_before=day)
    assert len(live.portal.portal.calls) == calls, "nobody is asked"
    final = {"3", "7", "8", "9", "10"}
    limit = day.astimezone(live.rt.contract(SOURCE).zone).strftime("%Y%m%d%H%M%S")
    for entry in live.world.ledger(TENANT):
        if entry.clean and entry.code:
            events = [step["ThoiDiemXuLy"] for step in entry.steps] + [entry.truth["NgayTra"]]
            done = entry.truth["TrangThaiHoSo"] in final and max(events) < limit
            assert (entry.code in assumed(live)) is done, entry.code
    assert 0 < found.assumed < found.undecided + found.assumed
    assert adopt(live.rt, TENANT, live.key("adopt"), assume_finished_before=day) == found

    gone = sorted(assumed(live) & set(held(live)))[0]
    live.portal.store._db.execute("DELETE FROM dossier WHERE code = ?", (gone,))
    verified = adopt(live.rt, TENANT, live.key("adopt"), verify=True, verify_assumed=True)
    assert (verified.assumed, verified.undecided) == (0, 0)
    assert live.rows("SELECT adoption, presence FROM exchange.delivery WHERE dossier_code = :c", c=gone) == [
        ("delta", "absent")
    ]
    set_mode(live, "own")
    calls = len(live.portal.portal.calls)
    live.push(TENANT)
    known = {code for (code,) in live.rows("SELECT dossier_code FROM exchange.delivery WHERE state = 'acknowledged'")}
    assert sent_since(live, calls, "DongBoHoSoMC") & known == {gone}


def test_a_portal_that_only_says_that_a_dossier_is_there_decides_nothing_by_itself(filled: Live) -> None:
    live = filled
    live.portal.switches = live.portal.switches.changed({"lookup_fields": "code"})
    found = adopt(live.rt, TENANT, live.key("adopt"), verify=True)
    assert (found.verified, found.assumed) == (0, 0)
    assert found.undecided > 300
    set_mode(live, "own")
    with pytest.raises(TerminalError, match="adopt"):
        live.push(TENANT)
    calls = len(live.portal.portal.calls)
    accepted = adopt(live.rt, TENANT, live.key("adopt"), accept_presence=True)
    assert (accepted.assumed, accepted.undecided) == (found.undecided, 0)
    assert len(live.portal.portal.calls) == calls
    live.push(TENANT)
    assert not sent_since(live, calls, "DongBoHoSoMC") & set(held(live))


def test_two_adoptions_at_once_ask_about_every_dossier_once(filled: Live) -> None:
    live = filled
    shadow(live.rt, TENANT, live.key("shadow"), limit=1)
    live.clock += timedelta(minutes=5)
    calls = len(live.portal.portal.calls)
    assert at_once(lambda: adopt(live.rt, TENANT, live.key("adopt"), verify=True)) == []
    found = adoption_summary(live.engine, TENANT)
    assert found.undecided == 0
    asked = [call for call in list(live.portal.portal.calls)[calls:] if call.service == "TraCuuHoSo"]
    assert len(asked) == found.verified + found.delta


def die_after_questions(wiring: Wiring, number: int) -> None:
    """An adoption that is killed after the answer to its `number`-th question."""
    from lienthong.exchange.client import PortalClient

    original, answered = PortalClient.find_dossier, iter(range(1, 10_000))

    def find(self: PortalClient, code: str) -> Any:
        answer = original(self, code)
        if next(answered) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    PortalClient.find_dossier = find  # type: ignore[method-assign]
    adopt(wiring.rt, TENANT, "killed", verify=True)


def test_an_adoption_that_is_killed_is_finished_by_the_next(filled: Live) -> None:
    live = filled
    child = PROCESSES.Process(target=die_after_questions, args=(live.wiring, 73))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert live.rows("SELECT count(*) FROM exchange.comparison WHERE verdict IS NOT NULL") == [(50,)]
    assert adoption_summary(live.engine, TENANT).verified == 0
    live.clock += timedelta(hours=1)  # the dead run's lease is over
    found = adopt(live.rt, TENANT, live.key("adopt"), verify=True)
    assert found.undecided == 0
    asked = [call for call in live.portal.portal.calls if call.service == "TraCuuHoSo"]
    assert len(asked) == found.verified + found.delta + 23, "only the batch that died is asked about again"


@pytest.fixture
def lienthong(filled: Live, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The command line over `filled`: runs one command and returns what it prints."""
    for connection in filled.connections.values():
        fields = {"conn_type": connection.kind} | {
            name: getattr(connection, name) for name in ("host", "port", "login", "password", "schema", "extra")
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{connection.conn_id.upper()}", json.dumps(fields))
    monkeypatch.setenv("LIENTHONG_SOURCES", str(filled.settings.sources))
    monkeypatch.setenv("LIENTHONG_PORTAL", str(filled.settings.portal))
    monkeypatch.setenv("LIENTHONG_LANDING_URL", filled.settings.landing_url)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments)
        if done.exception is not None:
            raise done.exception
        return done.output

    return run


def test_the_command_line_tells_engineers_what_it_found(filled: Live, lienthong: Callable[..., str]) -> None:
    live = filled
    [wrong, gone] = sorted(held(live))[:2]
    body = held(live)[wrong][0] | {"TrangThaiHoSo": "1"}
    with live.portal.store.writing():
        live.portal.store.put_dossier(wrong, TENANT, body, 0)
    live.portal.store._db.execute("DELETE FROM dossier WHERE code = ?", (gone,))
    assert "chưa so với Cổng" in lienthong("shadow", TENANT, "--limit", "10")
    output = lienthong("shadow", TENANT, "--all", "--show", "1000")
    assert " 0 chưa so với Cổng" in output
    assert "khác trạng thái: 1" in output
    assert f"{wrong}  Cổng có nhưng khác  TrangThaiHoSo (Cổng: 1; ta: " in output
    assert f"{gone}  Cổng chưa có" in output
    assert lienthong("shadow", TENANT, "--kind", "status").splitlines()[-1].startswith(wrong)
    with pytest.raises(ContractError, match="weather"):
        lienthong("shadow", TENANT, "--kind", "weather")
    with pytest.raises(ContractError, match="how to adopt"):
        lienthong("adopt", TENANT)
    assert "Chưa quyết định: 0" in lienthong("adopt", TENANT, "--verify")
    names = {entry.truth.get("ChuHoSo", "") for entry in live.world.ledger(TENANT)}
    assert not any(name in output for name in names if len(name) > 5)


def test_history_is_sent_when_somebody_says_so(filled: Live) -> None:
    live = filled
    live.portal.portal.store.reset()
    set_mode(live, "own")
    with pytest.raises(TerminalError):
        live.push(TENANT)
    assert live.portal.store.count(TENANT) == (0, 0)
    result: dict[str, Any] = push(live.rt, TENANT, live.key("push"), send_history=True)
    assert result["pushed"]["created"] > 300
    live.push(TENANT)  # once opened, it stays open


def test_a_source_without_an_old_history_needs_no_decision(filled: Live) -> None:
    live = filled
    live.portal.portal.store.reset()
    set_mode(live, "own")
    path = live.settings.portal
    path.write_text(path.read_text(encoding="utf-8").replace("history_days: 30", "history_days: 400"), encoding="utf-8")
    assert live.push(TENANT)["pushed"]["created"] > 300


def test_a_source_says_nothing_about_its_history_before_its_first_load(live: Live) -> None:
    live.sync_catalogue()
    set_mode(live, "own")
    live.push(TENANT)
    live.load(SOURCE)
    with pytest.raises(TerminalError, match=SOURCE):
        live.push(TENANT)
    assert live.portal.store.count(TENANT) == (0, 0)


def test_a_source_paused_for_a_week_catches_up_in_one_load_and_one_push(moving: Live) -> None:
    live = moving
    live.sync_catalogue()
    live.load(SOURCE)
    live.push(TENANT)
    calls = len(live.portal.portal.calls)
    changes = [change for seed in range(7) for change in advance(live.world, TENANT, live.sources[TENANT], seed, 25)]
    live.clock += timedelta(days=8)
    counts = live.load(SOURCE)["dossier"]
    moved = {change.dossier_id for change in changes}
    assert 0 < counts["inserted"] + counts["updated"] <= len(moved)
    live.push(TENANT)
    assert live.rows("SELECT state FROM exchange.delivery WHERE state IN ('owed', 'unsettled', 'sending')") == []
    sent = [
        code
        for call in list(live.portal.portal.calls)[calls:]
        if call.service == "DongBoHoSoMC" and call.answer.endswith("thành công")
        for code in call.codes
    ]
    assert len(sent) == len(set(sent)), "of a dossier that moved on several days only the newest version is sent"
    after = held(live)
    for entry in live.world.ledger(TENANT):
        if entry.clean and entry.code:
            body, steps = after[entry.code]
            assert body["TrangThaiHoSo"] == entry.truth["TrangThaiHoSo"], entry.code
            assert steps == list(entry.steps), entry.code
    before = live.contents()
    again = live.load(SOURCE, mode="full")
    assert again["dossier"]["inserted"] == again["dossier"]["updated"] == 0, "nothing was skipped"
    assert live.contents() == before


def test_ranges_that_join_read_everything_once_and_leave_the_watermark_alone(live: Live) -> None:
    live.sync_catalogue()
    start = live.clock - timedelta(days=120)
    edges = [start + timedelta(days=10 * number) for number in range(14)]
    read = 0
    for since, until in pairwise(edges):
        read += live.load(SOURCE, mode="range", window_from=since, window_to=until)["dossier"]["extracted"]
    assert live.rows("SELECT count(*) FROM ops.watermark") == [(0,)]
    rows = live.rows("SELECT count(*) FROM dossier.source_record")[0][0]
    assert read == rows > 300, "no dossier falls between two windows or into both"
    assert live.rows("SELECT count(*) FROM dossier.source_record_history") == [(0,)]
    incremental = live.load(SOURCE)["dossier"]
    assert incremental["updated"] == 0
    with pytest.raises(ContractError, match="empty"):
        live.load(SOURCE, mode="range", window_from=edges[1], window_to=edges[0])


def test_changed_code_maps_are_noticed_until_a_full_load_settles_them(loaded: Live) -> None:
    live = loaded
    assert changed_code_maps(live.rt) == []
    path = live.settings.sources / f"{SOURCE}.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    releasing: 9 ", "    releasing: 4 "), encoding="utf-8")
    live.load(SOURCE)
    [found] = changed_code_maps(live.rt)
    [(newest,)] = live.rows("SELECT max(load_id) FROM ops.load")
    assert (found.source_id, found.changed_load_id) == (SOURCE, newest)
    live.load(SOURCE)
    assert changed_code_maps(live.rt) == [found], "the rows read before still stand under the old map"
    assert "--mode full" in found.notice
    counts = live.load(SOURCE, mode="full")["dossier"]
    assert counts["updated"] > 0
    assert changed_code_maps(live.rt) == []
