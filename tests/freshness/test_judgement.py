"""A province over weeks: what is found, what is not, and that it is found once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from lienthong.freshness.findings import Finding
from lienthong.pipeline.freshness import alert
from tests.freshness.conftest import COMMUNES
from tests.freshness.world import SOURCE, WORKDAYS, Province, at

QUIET_COMMUNE = "H17.120"  # usually 27 dossiers a day


def silence(province: Province, code: str, first: date, last: date) -> None:
    province.execute(
        "DELETE FROM freshness.volume WHERE agency_code = :code AND day BETWEEN :first AND :last",
        [{"code": code, "first": first, "last": last}],
    )


def go_to(province: Province, day: date, usual: dict[str, float] | None = None, *, read: bool = True) -> None:
    """Time passes up to the morning of `day`: dossiers arrive, the source is read."""
    province.history(usual if usual is not None else COMMUNES, province.today, day - timedelta(days=1))
    province.today = day
    if read:
        province.read()


def test_a_normal_province_has_no_findings(province: Province) -> None:
    province.read()
    assert province.evaluate() == {"opened": 0, "open": 0, "closed": 0}
    [(expected, seen)] = province.rows(
        "SELECT expected, seen FROM freshness.source_day WHERE day = :day", day=date(2026, 10, 21)
    )
    assert 600 < expected < 750
    assert abs(seen - expected) < 150


def test_a_commune_that_stops_sending_is_found_while_the_total_looks_normal(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 20), date(2026, 10, 22))
    province.read()
    province.evaluate()
    assert province.open() == {("agency_silent", QUIET_COMMUNE)}
    [(since, details)] = province.rows("SELECT since, details FROM freshness.finding")
    assert since == at(date(2026, 10, 20), 0)
    assert details["name"] == f"Xã {QUIET_COMMUNE}"
    assert (details["days"], details["last_day"]) == (2, "2026-10-19")
    assert 22 < details["usual"] < 32


def test_many_runs_are_one_finding_which_closes_when_dossiers_come_again(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 21), date(2026, 10, 22))
    province.read()
    assert province.evaluate() == {"opened": 1, "open": 1, "closed": 0}
    assert province.evaluate() == {"opened": 0, "open": 1, "closed": 0}
    still = {code: mean for code, mean in COMMUNES.items() if code != QUIET_COMMUNE}
    go_to(province, date(2026, 10, 23), still)
    assert province.evaluate() == {"opened": 0, "open": 1, "closed": 0}
    assert province.rows("SELECT day FROM freshness.finding_day ORDER BY day") == [
        (date(2026, 10, 22),),
        (date(2026, 10, 23),),
    ]
    go_to(province, date(2026, 10, 24))
    assert province.evaluate() == {"opened": 0, "open": 0, "closed": 1}
    assert province.rows("SELECT close_reason FROM freshness.finding") == [("recovered",)]


def test_a_finding_is_told_once_per_channel_and_so_is_its_end(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 21), date(2026, 10, 22))
    province.read()
    told: list[tuple[str, bool]] = []

    def send(findings: Sequence[Finding]) -> None:
        told.extend((finding.subject, finding.is_open) for finding in findings)

    for _ in range(3):
        province.evaluate()
        alert(province.rt, "mail", send)
    assert told == [(QUIET_COMMUNE, True)]
    go_to(province, date(2026, 10, 23))
    for _ in range(2):
        province.evaluate()
        alert(province.rt, "mail", send)
    assert told == [(QUIET_COMMUNE, True), (QUIET_COMMUNE, False)]
    assert alert(province.rt, "hook", send) == 0, "a channel that never told of it has no end to tell"


def test_what_a_channel_did_not_take_is_told_again(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 21), date(2026, 10, 22))
    province.read()
    province.evaluate()

    def broken(_findings: object) -> None:
        raise OSError("no route")

    with pytest.raises(OSError, match="no route"):
        alert(province.rt, "mail", broken)
    assert alert(province.rt, "mail", lambda _findings: None) == 1


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 10, 26), "a Monday morning after the weekend"),
        (date(2026, 11, 25), "the morning after a public holiday"),
        (date(2027, 2, 8), "in the week of Tết"),
        (date(2027, 2, 15), "the Monday after Tết, when hardly anybody comes"),
        (date(2027, 2, 22), "two weeks after Tết"),
    ],
)
def test_weekends_holidays_and_tet_do_not_alarm(province: Province, day: date, why: str) -> None:
    go_to(province, day)
    province.evaluate()
    assert province.open() == set(), why


def test_a_morning_is_not_judged_before_the_day_is_over(province: Province) -> None:
    province.read(at(date(2026, 10, 22), 16))  # nothing arrived today, so far
    province.evaluate()
    assert province.open() == set()


def test_a_silent_source_is_one_finding_and_not_one_per_commune(province: Province) -> None:
    go_to(province, date(2026, 10, 23), {})
    province.evaluate()
    assert province.open() == {("source_silent", "")}


@pytest.mark.parametrize("hole", [1, 32], ids=["after a day", "after weeks"])
def test_a_source_whose_dossiers_came_today_is_not_told_as_silent(province: Province, hole: int) -> None:
    go_to(province, date(2026, 10, 22) + timedelta(days=hole), {})
    province.volume({(next(iter(COMMUNES)), province.today): 3})
    assert province.evaluate() == {"opened": 0, "open": 0, "closed": 0}, "and none of its communes"
    go_to(province, province.today + timedelta(days=1))
    assert province.evaluate()["opened"] == 0, "the stretch is past"


def test_the_finding_of_a_silent_source_ends_with_its_first_dossier(province: Province) -> None:
    go_to(province, date(2026, 10, 23), {})
    province.evaluate()
    province.volume({(QUIET_COMMUNE, province.today): 1})
    assert province.evaluate() == {"opened": 0, "open": 0, "closed": 1}


def test_a_commune_whose_dossiers_came_today_is_not_told_as_silent(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 20), date(2026, 10, 22))
    province.volume({(QUIET_COMMUNE, date(2026, 10, 22)): 2})
    province.read()
    province.evaluate()
    assert province.open() == set()


def after_a_hole(province: Province, usual: dict[str, float]) -> None:
    """Nothing came from 22 October to 10 November; on the two days after, `usual` did."""
    go_to(province, date(2026, 11, 11), {}, read=False)
    go_to(province, date(2026, 11, 13), usual)


@pytest.mark.parametrize("first_days", [COMMUNES, {"H17.137": 2.0, "": 1.0}], ids=["as usual", "a trickle"])
def test_days_without_the_whole_source_are_no_silence_of_its_communes(
    province: Province, first_days: dict[str, float]
) -> None:
    rare = {
        f"H17.{301 + number}": day for number, day in enumerate(WORKDAYS.between(date(2026, 9, 1), date(2026, 9, 18)))
    }
    province.agencies(*rare)
    days = WORKDAYS.between(date(2026, 4, 1), date(2026, 10, 21))
    province.volume({(code, day): 1 for place, code in enumerate(rare) for day in days[place % 4 :: 4]})
    province.agencies("H17.137")
    after_a_hole(province, first_days)
    province.evaluate()
    silent = {subject for kind, subject in province.open() if kind == "agency_silent"}
    assert not silent & set(rare)
    if first_days is COMMUNES:
        assert province.open() == set()


def test_a_commune_that_stays_away_after_such_days_is_found(province: Province) -> None:
    after_a_hole(province, {code: mean for code, mean in COMMUNES.items() if code != QUIET_COMMUNE})
    province.evaluate()
    assert province.open() == {("agency_silent", QUIET_COMMUNE)}
    [(days,)] = province.rows("SELECT details -> 'days' FROM freshness.finding")
    assert days == 2, "those on which the others came again"


def test_an_old_history_alone_is_one_finding_of_the_source(province: Province) -> None:
    go_to(province, date(2026, 11, 23), {})
    province.evaluate()
    assert province.open() == {("source_silent", "")}


def test_a_source_that_brings_far_less_than_usual_is_found(province: Province) -> None:
    go_to(province, date(2026, 10, 23), {code: mean for code, mean in COMMUNES.items() if mean < 20})
    province.evaluate()
    assert ("source_low", "") in province.open()
    assert ("source_silent", "") not in province.open()


def test_weeks_without_the_source_do_not_make_little_look_usual(province: Province) -> None:
    """Most of the weeks before this day are a hole; a tenth of what came before the hole is still far too little."""
    go_to(province, date(2026, 11, 23), {}, read=False)
    go_to(province, date(2026, 11, 25), COMMUNES, read=False)
    go_to(province, date(2026, 11, 26), {code: mean / 10 for code, mean in COMMUNES.items()})
    province.evaluate()
    assert ("source_low", "") in province.open()


def test_an_agency_that_brings_far_less_for_a_week_is_found(province: Province) -> None:
    go_to(province, date(2026, 10, 29), COMMUNES | {QUIET_COMMUNE: 2.0})
    province.evaluate()
    assert province.open() == {("agency_low", QUIET_COMMUNE)}


def test_a_pause_is_one_stale_source_and_catching_up_alarms_for_nothing_past(province: Province) -> None:
    province.read()
    go_to(province, date(2026, 10, 29), {}, read=False)
    for _ in range(2):
        province.evaluate()
    assert province.open() == {("source_stale", "")}
    assert province.rows("SELECT severity FROM freshness.finding") == [("error",)]
    province.history(COMMUNES, date(2026, 10, 22), date(2026, 10, 28))  # the first load brings the whole week
    province.read()
    assert province.evaluate() == {"opened": 0, "open": 0, "closed": 1}


def test_a_range_load_does_not_stand_for_what_was_not_read(province: Province) -> None:
    province.read(at(date(2026, 10, 21), 8))
    province.read(mode="range", window_from=at(date(2026, 1, 1)), window_to=at(date(2026, 2, 1)))
    province.evaluate()
    assert province.open() == {("source_stale", "")}


def test_a_long_first_load_is_not_late_while_it_runs(province: Province) -> None:
    province.read(at(date(2026, 10, 22), 2))
    province.read(opened_at=at(date(2026, 10, 22), 4), state="extracted", merged_at=None)
    province.evaluate()
    assert province.open() == set()


def test_hours_in_which_a_source_may_not_be_read_are_no_missed_ticks(province: Province) -> None:
    contract = province.settings.sources / f"{SOURCE}.yaml"
    contract.write_text(contract.read_text().replace("pause_ms: 0}", 'pause_ms: 0, hours: "19:00-06:00"}'))
    province.read(at(date(2026, 10, 22), 5), opened_at=at(date(2026, 10, 22), 5).replace(minute=45))
    province.today = date(2026, 10, 22)  # nine o'clock: six ticks since, none of them allowed
    province.evaluate()
    assert province.open() == set()


def test_a_new_agency_is_not_expected_to_send_before_it_has_a_history(province: Province) -> None:
    province.agencies("H17.500")
    province.volume({("H17.500", day): 20 for day in WORKDAYS.between(date(2026, 10, 9), date(2026, 10, 14))})
    province.read()
    province.evaluate()
    assert province.open() == set()


def test_an_agency_that_leaves_the_registry_is_no_longer_missed(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 15), date(2026, 10, 22))
    province.read()
    province.evaluate()
    assert province.open() == {("agency_silent", QUIET_COMMUNE)}
    province.agencies(QUIET_COMMUNE, listed=False)
    province.evaluate()
    assert province.rows("SELECT close_reason FROM freshness.finding") == [("unlisted",)]


def test_codes_that_the_registry_does_not_know_are_only_part_of_the_total(province: Province) -> None:
    days = WORKDAYS.between(date(2026, 4, 1), date(2026, 9, 30))
    province.volume({(code, day): 30 for code in ("H17.999", "") for day in days})
    province.read()
    province.evaluate()
    assert province.open() == set()


def test_an_agency_that_never_comes_back_is_given_up(province: Province) -> None:
    silence(province, QUIET_COMMUNE, date(2026, 10, 1), date(2026, 12, 31))
    still = {code: mean for code, mean in COMMUNES.items() if code != QUIET_COMMUNE}
    province.read()
    province.evaluate()
    go_to(province, date(2026, 12, 22), still)
    province.evaluate()
    assert province.open() == {("agency_silent", QUIET_COMMUNE)}
    go_to(province, date(2027, 1, 12), still)
    province.evaluate()
    assert province.open() == set()
    assert province.rows("SELECT close_reason FROM freshness.finding") == [("given_up",)]
    go_to(province, date(2027, 1, 20), still)
    assert province.evaluate()["opened"] == 0


def test_a_failed_load_stays_found_until_a_load_is_merged_after_it(province: Province) -> None:
    province.read(at(date(2026, 10, 22), 7))
    failed = province.read(
        at(date(2026, 10, 22), 8), state="opened", merged_at=None,
        error="extract: [source opencps_h17] No answer. Next: wait.", failed_at=at(date(2026, 10, 22), 8),
    )  # fmt: skip
    province.evaluate()
    assert province.open() == {("load_failed", "")}
    [(details,)] = province.rows("SELECT details FROM freshness.finding")
    assert details["load_id"] == failed
    province.read()
    province.evaluate()
    assert province.open() == set()


def test_a_backlog_grows_from_warning_to_error_and_is_then_told_again(province: Province) -> None:
    load_id = province.read()
    province.execute(
        "INSERT INTO dossier.dossier (tenant, dossier_id, source_id, source_key, version, load_id, opened_load_id) "
        "VALUES ('H17', gen_random_uuid(), 'opencps_h17', '1', 1, :load_id, :load_id)",
        [{"load_id": load_id}],
    )
    province.execute(
        "INSERT INTO exchange.delivery (tenant, dossier_id, dossier_code, source_id, mode, derived_version, "
        "wanted_version, wanted_hash, recipe) SELECT tenant, dossier_id, 'H17.05-261022-0001', source_id, 'own', 1, 1, "
        "'x', 1 FROM dossier.dossier WHERE tenant = :tenant",
        [{"tenant": "H17"}],
    )
    for day, severity in ((date(2026, 10, 24), "warning"), (date(2026, 10, 26), "error")):
        go_to(province, day)
        province.evaluate()
        assert province.rows("SELECT severity FROM freshness.finding WHERE kind = 'backlog'") == [(severity,)]
        assert alert(province.rt, "mail", lambda _findings: None) == 1
    province.execute("UPDATE exchange.delivery SET hold = 'blocked' WHERE tenant = :tenant", [{"tenant": "H17"}])
    province.evaluate()
    assert province.open() == set()


def test_the_findings_of_a_source_whose_contract_was_deleted_end(province: Province) -> None:
    contract = province.settings.sources / f"{SOURCE}.yaml"
    go_to(province, date(2026, 10, 23), {})
    province.evaluate()
    written = contract.read_text()
    contract.write_text("mode: [")
    assert province.evaluate() == {"opened": 0, "open": 1, "closed": 0}, "a broken contract keeps them"
    contract.unlink()
    assert province.evaluate() == {"opened": 0, "open": 0, "closed": 1}
    assert province.rows("SELECT close_reason FROM freshness.finding") == [("taken_back",)]
    contract.write_text(written)
    assert province.evaluate() == {"opened": 1, "open": 1, "closed": 0}


def test_a_folder_of_contracts_that_is_not_there_ends_no_finding(province: Province) -> None:
    go_to(province, date(2026, 10, 23), {})
    province.evaluate()
    province.settings.sources.rename(province.folder / "elsewhere")
    assert province.evaluate() == {"opened": 0, "open": 1, "closed": 0}


def test_the_backlog_of_a_tenant_ends_with_its_last_contract(province: Province) -> None:
    province.read()
    province.execute(
        "INSERT INTO ops.source VALUES (:tenant, :source, 'x', 10, 'own', '')", [{"tenant": "H17", "source": SOURCE}]
    )
    province.execute(
        "INSERT INTO freshness.finding (tenant, source_id, kind, subject, severity, since, first_seen_at, "
        "last_seen_at) "
        "VALUES (:tenant, '', 'backlog', '', 'error', now(), now(), now()), "
        "('', '', 'task_failed', 'portal_push.push', 'error', now(), now(), now())",
        [{"tenant": "H17"}],
    )
    contract = province.settings.sources / f"{SOURCE}.yaml"
    contract.write_text("mode: [")
    assert province.evaluate() == {"opened": 0, "open": 2, "closed": 0}
    contract.unlink()
    assert province.evaluate() == {"opened": 0, "open": 1, "closed": 1}
    assert province.open() == {("task_failed", "portal_push.push")}
