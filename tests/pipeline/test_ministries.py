"""Two ministries' systems end to end: their truth in the warehouse, one sender, one count, a list of what differs."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.connections import Connection
from lienthong.exchange.elsewhere import EXPECTED_ELSEWHERE, SENT_ELSEWHERE
from lienthong.exchange.summary import delivery_summary
from lienthong.indices import scores
from lienthong.model.errors import (
    ArgumentError,
    CollapsedExtractError,
    LienThongError,
    SourceAccessError,
    SourceAnswerError,
    SourceUnreachableError,
)
from lienthong.model.kinds.dossier import DOSSIER
from lienthong.onboarding.check import check
from lienthong.pipeline.push import covers_of
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.score import score
from lienthong.pipeline.views import disagreements
from lienthong.views.disagreements import lines
from simulator.bgtvt import BgtvtSwitches
from simulator.defects import Defect
from simulator.gplx import GplxSwitches
from simulator.ledger import Entry
from simulator.workdays import DAY
from tests.pipeline.comparison import ALTERED
from tests.pipeline.sectors import CITY, HELD, Ministries, edit, running_ministries
from tests.pipeline.test_truth import wire_text
from tests.world import MONTH

#: Enough for every kind of defect.
SIZE = 700
pytestmark = pytest.mark.xdist_group("ministries")  # one world for the module
WIRES = {field.wire: field for field in DOSSIER.fields if field.wire}


@pytest.fixture(scope="module")
def delivered(request: pytest.FixtureRequest) -> Iterator[Ministries]:
    """Everything loaded, the ministries first, and pushed: once for the tests that only read."""
    with running_ministries(request, SIZE) as running:
        running.live.sync_catalogue()
        running.load_all()
        running.live.push("H17")
        yield running


def entries(running: Ministries, source_id: str) -> list[Entry]:
    return [entry for entry in running.live.world.ledger(source_id) if not entry.duplicate_of]


def records(running: Ministries, source_id: str) -> dict[str, dict[str, Any]]:
    """Believed records by key, in wire words."""
    fields = [field for field in WIRES.values() if field.name != "database_codes"]
    columns = ", ".join(f"{'p' if field.personal else 'r'}.{field.name}" for field in fields)
    rows = running.live.rows(
        f"SELECT r.source_key, {columns} FROM dossier.source_record r "
        "JOIN dossier.person p USING (tenant, source_id, source_key) WHERE r.source_id = :source",
        source=source_id,
    )
    return {
        row[0]: {field.wire: wire_text(value, field.type) for field, value in zip(fields, row[1:], strict=True)}
        for row in rows
    }  # type: ignore[misc]


@pytest.mark.parametrize("source_id", HELD)
def test_the_warehouse_believes_what_the_ministry_tells_field_by_field(delivered: Ministries, source_id: str) -> None:
    believed, wrong = records(delivered, source_id), {}
    told = [entry for entry in entries(delivered, source_id) if Defect.MALFORMED_CODE not in entry.defects]
    for entry in told:
        spoiled = {Defect.UNKNOWN_PROCEDURE: {"MaTTHC"}, Defect.UNKNOWN_STATUS: {"TrangThaiHoSo"}}
        altered = {name for defect in entry.defects for name in {**ALTERED, **spoiled}.get(Defect(defect), ())}
        row = believed[entry.code or ""]
        found = {
            name: (true, row[name]) for name, true in entry.truth.items() if name not in altered and row[name] != true
        }
        if found:
            wrong[entry.code] = (entry.defects, found)
    assert wrong == {}
    assert len(told) > 90


@pytest.mark.parametrize("source_id", HELD)
def test_every_load_adds_up(delivered: Ministries, source_id: str) -> None:
    [(gap, extracted, duplicate)] = delivered.live.rows(
        "SELECT extracted - inserted - updated - unchanged - duplicate - stale - quarantined, extracted, duplicate "
        "FROM ops.load_count c JOIN ops.load l USING (tenant, load_id) "
        "WHERE l.source_id = :source AND entity = 'dossier'",
        source=source_id,
    )
    assert gap == 0
    assert extracted == len(list(delivered.live.world.ledger(source_id)))
    assert duplicate == sum(bool(e.duplicate_of) for e in delivered.live.world.ledger(source_id))


def test_no_key_of_the_lists_is_left_unmapped(delivered: Ministries) -> None:
    assert delivered.live.rows("SELECT name FROM ops.finding WHERE kind = 'column'") == []


def test_nothing_that_a_ministry_sends_is_sent_by_the_city(delivered: Ministries) -> None:
    """Neither the ministries' own dossiers nor the city's copies, while all others of the city go."""
    live = delivered.live
    theirs = {entry.code for source_id in HELD for entry in live.world.ledger(source_id)}
    held = {stored.code for stored in live.portal.store.dossiers("H17")}
    assert not held & theirs
    ours = {e.code for e in live.world.ledger("H17") if e.clean and e.code and e.truth["NgayTiepNhan"]} - theirs
    assert ours <= held
    reasons = dict(
        live.rows(
            "SELECT x.dossier_code, x.reasons[1] FROM exchange.delivery x WHERE x.reasons && :why",
            why=[SENT_ELSEWHERE, EXPECTED_ELSEWHERE],
        )
    )
    assert set(reasons.values()) == {SENT_ELSEWHERE}
    assert delivery_summary(live.engine, "H17").watched >= len(reasons)
    assert {plan.code for plan in live.world.plans["H17"] if plan.held_by} <= set(reasons)


def test_a_dossier_that_both_hold_is_one_and_the_ministry_speaks_for_it(delivered: Ministries) -> None:
    copies = [plan.code for plan in delivered.live.world.plans["H17"] if plan.held_by]
    rows = delivered.live.rows(
        "SELECT d.dossier_code, d.source_id, count(DISTINCT r.source_id) FROM dossier.dossier d "
        "JOIN dossier.source_record r USING (tenant, dossier_id) WHERE d.dossier_code = ANY(:codes) GROUP BY 1, 2",
        codes=copies,
    )
    assert len(rows) == len(copies)
    assert {(source, systems) for _, source, systems in rows} == {(source, 2) for source in HELD}


def test_the_city_sends_nothing_of_theirs_when_its_own_system_is_read_and_pushed_first(
    request: pytest.FixtureRequest,
) -> None:
    with running_ministries(request, 150) as running:
        live = running.live
        live.sync_catalogue()
        live.load(CITY)
        live.push("H17")
        copies = {plan.code for plan in live.world.plans["H17"] if plan.held_by}
        assert copies
        assert not copies & {stored.code for stored in live.portal.store.dossiers("H17")}
        waiting = live.rows(
            "SELECT dossier_code FROM exchange.delivery WHERE :why = ANY(reasons)", why=EXPECTED_ELSEWHERE
        )
        assert {code for (code,) in waiting} == copies
        running.load_all()
        live.push("H17")
        assert not copies & {stored.code for stored in live.portal.store.dossiers("H17")}
        assert live.rows("SELECT 1 FROM exchange.delivery WHERE :why = ANY(reasons)", why=EXPECTED_ELSEWHERE) == []


# --- what differs ---------------------------------------------------------------------------------------------------

FIELD_OF = {
    "TrangThaiHoSo": "status",
    "NgayTiepNhan": "received_at",
    "NgayHenTra": "due_at",
    "NgayKetThucXuLy": "finished_at",
    "NgayTra": "returned_at",
}


def known_disagreements(running: Ministries) -> set[tuple[str, str, str, str | None, str | None]]:
    def ours(field: str, said: str) -> str | None:
        day = f"{said[:4]}-{said[4:6]}-{said[6:8]}" if field != "TrangThaiHoSo" else said
        return day if said else None

    return {
        (d.source_id, d.code, FIELD_OF[d.field], ours(d.field, d.province_says), ours(d.field, d.holder_says))
        for d in running.live.world.disagreements()
    }


def listed_disagreements(running: Ministries) -> set[tuple[str, str, str, str | None, str | None]]:
    found = disagreements(running.live.rt, "H17")
    assert {one.our_source_id for one in found} <= {CITY}
    return {(one.source_id, one.dossier_code, one.field, one.ours, one.theirs) for one in found}


def test_the_list_of_disagreements_is_the_ledgers(delivered: Ministries) -> None:
    known = known_disagreements(delivered)
    assert listed_disagreements(delivered) == known
    assert {field for _, _, field, _, _ in known} >= {"status", "due_at", "finished_at"}


def test_the_list_is_told_in_words_without_personal_data(delivered: Ministries) -> None:
    text = "\n".join(lines("H17", disagreements(delivered.live.rt, "H17"), most=10_000))
    assert "tỉnh ghi" in text
    assert "Đang xử lý" in text
    for entry in delivered.live.world.ledger("H17"):
        for name in ("ChuHoSo", "SoGiayToChuHoSo", "SoDienThoai"):
            assert not entry.truth or not entry.truth[name] or entry.truth[name] not in text


def test_the_command_tells_counts_examples_and_writes_the_whole_list(
    delivered: Ministries, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Runtime, "from_environment", lambda: delivered.live.rt)
    known, target = known_disagreements(delivered), tmp_path / "khac.csv"
    said = CliRunner().invoke(app, ["disagreements", "H17"])
    assert said.exit_code == 0, said.output
    assert f"ở {len({code for _, code, *_ in known})} hồ sơ" in said.output
    assert CliRunner().invoke(app, ["disagreements", "H17", "--csv", str(target)]).exit_code == 0
    rows = list(csv.reader(target.open(encoding="utf-8-sig")))
    assert rows[0] == ["Nguồn của bộ", "Mã hồ sơ", "Cơ quan", "Mục", "Tỉnh ghi", "Bộ ghi"]
    assert {row[1] for row in rows[1:]} == {code for _, code, *_ in known}
    with pytest.raises(ArgumentError):
        disagreements(delivered.live.rt, "H26")


def test_what_only_the_city_shows_of_a_ministrys_procedure_is_listed(request: pytest.FixtureRequest) -> None:
    with running_ministries(request, 150) as running:
        world = running.live.world
        code = next(plan.code for plan in world.plans["H17"] if plan.held_by == "bgtvt_h17")
        world.held["bgtvt_h17"] = [plan for plan in world.held["bgtvt_h17"] if plan.code != code]
        running.live.sync_catalogue()
        running.load_all()
        running.live.push("H17")
        assert ("bgtvt_h17", code, "dossier", code, None) in listed_disagreements(running)
        assert running.live.portal.store.dossier(code or "") is None


def test_a_ministry_that_moves_on_is_followed_and_the_city_is_behind(request: pytest.FixtureRequest) -> None:
    """Dossiers of weeks ago change without any sign of it: their days are asked for again."""
    with running_ministries(request, 300) as running:
        live = running.live
        live.sync_catalogue()
        running.load_all()
        again = live.load("bgtvt_h17")["dossier"]
        assert (again["inserted"], again["updated"]) == (0, 0)
        before = known_disagreements(running)
        for server in (running.bgtvt, running.gplx):
            changed = {change.dossier_id for change in server.advance(11, 40)}
            seen = 0
            for mode in ("incremental", "full"):  # the full load finds what is older than the overlap
                counts = live.load(server.desk.sector.source_id, mode=mode)["dossier"]
                seen += counts["inserted"] + counts["updated"]
                assert seen >= len(changed) * 0.9
            assert seen == len(changed)
        assert listed_disagreements(running) == known_disagreements(running)
        assert known_disagreements(running) - before


# --- scores ---------------------------------------------------------------------------------------------------------


def test_dossiers_of_ministries_count_once_on_time_and_are_left_out_of_what_nobody_tells(
    delivered: Ministries,
) -> None:
    live = delivered.live
    score(live.rt, MONTH, "ministries")
    facts = live.rows(
        "SELECT d.source_id, f.lacks, f.end_status, f.received_at IS NOT NULL FROM indices.dossier_fact f "
        "JOIN dossier.dossier d USING (tenant, dossier_id)"
    )
    ministry = [row for row in facts if row[0] in HELD]
    codes = {e.code for name in HELD for e in live.world.ledger(name) if not e.duplicate_of}
    assert len(ministry) == len(codes)
    assert {"documents", "fees"} <= set(ministry[0][1])
    assert all(lacks == [] for source, lacks, *_ in facts if source == CITY)
    assert {9, 10} & {end for _, _, end, _ in ministry}
    table = scores(live.engine, live.rows("SELECT max(run_id) FROM indices.score_run")[0][0])
    [province] = table.provinces
    received, told = province.components["1.4"].denominator, province.components["3.3"].denominator
    month = "f.received_at >= '2026-10-01 00:00+07' AND f.received_at < '2026-11-01 00:00+07'"
    [(theirs,)] = live.rows(f"SELECT count(*) FROM indices.dossier_fact f WHERE {month} AND cardinality(lacks) > 0")
    assert theirs > 0
    assert (received or 0) - (told or 0) == theirs
    acknowledged = province.components["1.4"].numerator
    [(sent,)] = live.rows(
        "SELECT count(*) FROM indices.dossier_fact f JOIN exchange.delivery x USING (tenant, dossier_id) "
        f"WHERE {month} AND (x.acked_at < '2026-11-01 00:00+07' OR :why = ANY(x.reasons))",
        why=SENT_ELSEWHERE,
    )
    assert acknowledged == sent


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(request: pytest.FixtureRequest) -> Iterator[Ministries]:
    """Loaded once; tests here break what is read and look that nothing changes."""
    with running_ministries(request, 300) as running:
        running.live.sync_catalogue()
        running.load_all()
        yield running


@pytest.fixture
def steady(small: Ministries) -> Iterator[Ministries]:
    yield small
    for server in (small.bgtvt, small.gplx):
        server.desk.reset()


def believed(running: Ministries) -> list[tuple[Any, ...]]:
    return running.live.rows("SELECT source_id, source_key, record_hash FROM dossier.source_record ORDER BY 1, 2")


@pytest.mark.parametrize("kind", ["html_page", "http_500", "http_503", "truncated_json", "garbled", "drop", "busy"])
@pytest.mark.parametrize("source_id", HELD)
def test_a_fault_that_passes_is_tried_again(steady: Ministries, source_id: str, kind: str) -> None:
    server, before = steady.bgtvt if source_id == "bgtvt_h17" else steady.gplx, believed(steady)
    server.fail_next("*", kind)
    steady.live.load(source_id)
    assert believed(steady) == before


@pytest.mark.parametrize("kind", ["html_page", "http_500", "truncated_json", "garbled", "drop", "busy", "refuse"])
@pytest.mark.parametrize("source_id", HELD)
def test_a_fault_that_stays_is_one_clear_error_and_the_others_go_on(
    steady: Ministries, source_id: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    server, before = steady.bgtvt if source_id == "bgtvt_h17" else steady.gplx, believed(steady)
    server.fail_next("*", kind, 100)
    with caplog.at_level("INFO"), pytest.raises(LienThongError) as failed:
        steady.live.load(source_id)
    assert isinstance(failed.value, SourceUnreachableError | SourceAnswerError | SourceAccessError)
    assert source_id in str(failed.value)
    for secret in ("gtvt-h17", "licence-h17"):
        assert secret not in str(failed.value) + caplog.text
    assert believed(steady) == before
    steady.live.load("gplx_h17" if source_id == "bgtvt_h17" else "bgtvt_h17")
    steady.live.load(CITY)


def test_a_wrong_key_and_a_wrong_password_are_access_errors(steady: Ministries) -> None:
    for source_id in HELD:
        held = steady.live.connections[f"src_{source_id}"]
        steady.live.connections[f"src_{source_id}"] = Connection(**{**vars(held), "password": "wrong"})
        try:
            with pytest.raises(SourceAccessError):
                steady.live.load(source_id)
        finally:
            steady.live.connections[f"src_{source_id}"] = held


def test_a_session_that_expires_in_the_middle_is_renewed(steady: Ministries) -> None:
    steady.gplx.desk.switches = GplxSwitches(expire_after_calls=7)
    steady.live.load("gplx_h17", mode="full")
    assert steady.gplx.desk.counts["login"] > 5
    assert steady.live.rows("SELECT count(*) FROM dossier.source_record WHERE source_id = 'gplx_h17'") == [
        (len({entry.code for entry in steady.live.world.ledger("gplx_h17")}),)
    ]


def test_a_window_that_was_cut_is_asked_for_by_day(steady: Ministries) -> None:
    """The register neither counts nor says that it cut: as many rows as it ever returns mean that there may be more."""
    most = max(Counter(plan.received // DAY for plan in steady.gplx.desk.plans).values())
    steady.gplx.desk.switches = GplxSwitches(max_rows=most + 1)
    edit(steady.live, "gplx_h17", "page_rows: 100", f"page_rows: {most + 1}")
    try:
        counts = steady.live.load("gplx_h17", mode="full")["dossier"]
        assert counts["extracted"] == len(steady.gplx.desk.plans)
        days = [call for call in steady.gplx.desk.calls if call.first and call.first == call.last]
        assert days
        edit(steady.live, "gplx_h17", f"page_rows: {most + 1}", f"page_rows: {most}")
        steady.gplx.desk.switches = GplxSwitches(max_rows=most)
        with pytest.raises(SourceAnswerError, match="leaves rows out"):
            steady.live.load("gplx_h17", mode="full")
    finally:
        path = steady.live.settings.sources / "gplx_h17.yaml"
        path.write_text(re.sub(r"page_rows: \d+", "page_rows: 100", path.read_text(encoding="utf-8")), encoding="utf-8")


def test_a_list_that_was_cut_or_is_too_long_is_asked_for_in_halves(steady: Ministries) -> None:
    most = max(Counter(plan.received // DAY for plan in steady.bgtvt.desk.plans).values())
    for switches in (BgtvtSwitches(max_rows=most), BgtvtSwitches(max_days=5)):
        steady.bgtvt.desk.switches = switches
        counts = steady.live.load("bgtvt_h17", mode="full")["dossier"]
        assert counts["extracted"] == len(steady.bgtvt.desk.plans)
    steady.bgtvt.desk.switches = BgtvtSwitches(max_rows=most - 1)
    with pytest.raises(SourceAnswerError, match="leaves rows out"):
        steady.live.load("bgtvt_h17", mode="full")


def test_a_list_that_lost_its_dossiers_is_not_believed(steady: Ministries) -> None:
    before, plans = believed(steady), steady.bgtvt.desk.world.held["bgtvt_h17"]
    steady.bgtvt.desk.world.held["bgtvt_h17"] = []
    try:
        for mode in ("incremental", "full"):
            with pytest.raises(CollapsedExtractError):
                steady.live.load("bgtvt_h17", mode=mode)
    finally:
        steady.bgtvt.desk.world.held["bgtvt_h17"] = plans
    assert believed(steady) == before


def test_a_contract_that_can_not_be_read_does_not_make_the_city_a_sender(steady: Ministries) -> None:
    live, copies = steady.live, {plan.code for plan in steady.live.world.plans["H17"] if plan.held_by == "bgtvt_h17"}
    path = live.settings.sources / "bgtvt_h17.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text("mode: [", encoding="utf-8")
    try:
        assert covers_of(live.rt, "H17")["1.013259"] == "bgtvt_h17"
        live.push("H17")
    finally:
        path.write_text(text, encoding="utf-8")
    assert not copies & {stored.code for stored in live.portal.store.dossiers("H17")}


# --- before the first load ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source_id", HELD)
def test_a_check_looks_at_a_ministrys_system_and_finds_nothing_wrong(steady: Ministries, source_id: str) -> None:
    told: list[str] = []
    rt = replace(steady.live.wiring, clock=datetime.now(UTC)).rt
    report = check(rt, source_id, 20, lambda line: told.append(f"{line.level.mark} {line.text}"))
    assert report.ok, "\n".join(line for line in told if not line.startswith("✓"))
    assert not [line for line in told if "gtvt-h17" in line or "licence-h17" in line]
