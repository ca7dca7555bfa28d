"""What a job is asked to do, read from texts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lienthong.exchange.decisions import Action, Choice
from lienthong.model.codes import LoadMode
from lienthong.model.errors import ArgumentError, ContractError
from lienthong.model.periods import BUSINESS_ZONE, Month
from lienthong.pipeline.decision_request import DecisionRequest
from lienthong.pipeline.requests import AdoptRequest, LoadRequest, ScoreRequest, ShadowRequest

SOURCE = "opencps_h17"
FIRST, EIGHTH = datetime(2026, 10, 1, tzinfo=BUSINESS_ZONE), datetime(2026, 10, 8, tzinfo=BUSINESS_ZONE)


def test_without_options_a_load_reads_what_is_new() -> None:
    assert LoadRequest.parse(SOURCE, None, None, None) == LoadRequest(SOURCE, LoadMode.INCREMENTAL)
    assert LoadRequest.parse(SOURCE, "full", None, None) == LoadRequest(SOURCE, LoadMode.FULL)


@pytest.mark.parametrize("mode", [None, "range"])
def test_two_days_are_a_range_in_vietnams_time(mode: str | None) -> None:
    assert LoadRequest.parse(SOURCE, mode, "2026-10-01", "2026-10-08T00:00:00+07:00") == LoadRequest(
        SOURCE, LoadMode.RANGE, FIRST, EIGHTH
    )


@pytest.mark.parametrize(
    ("mode", "since", "until", "advice"),
    [
        ("weekly", None, None, "incremental, range, full"),
        ("range", None, None, "--from 2026-10-01 --to 2026-10-08"),
        (None, "2026-10-01", None, "--from 2026-10-01 --to 2026-10-08"),
        ("full", "2026-10-01", "2026-10-08", "--mode range"),
        ("range", "01/10/2026", "2026-10-08", "2026-10-01"),
        ("range", "2026-10-08", "2026-10-08", "after the start"),
    ],
)
def test_a_mistake_says_how_to_write_it(mode: str | None, since: str | None, until: str | None, advice: str) -> None:
    with pytest.raises(ContractError) as refused:
        LoadRequest.parse(SOURCE, mode, since, until)
    assert advice in refused.value.next_step


def test_one_value_may_hold_both_ends_of_a_range() -> None:
    assert LoadRequest.parse(SOURCE, "2026-10-01/2026-10-08") == LoadRequest(SOURCE, LoadMode.RANGE, FIRST, EIGHTH)


def test_a_month_that_is_not_named_stays_open_and_a_wrong_one_is_refused() -> None:
    assert ScoreRequest.parse("") == ScoreRequest.parse(None) == ScoreRequest()
    assert ScoreRequest.parse("2026-10", final=True) == ScoreRequest(Month(2026, 10), final=True)
    with pytest.raises(ArgumentError, match="is not a month"):
        ScoreRequest.parse("10/2026")


def test_only_a_final_score_is_given_again() -> None:
    with pytest.raises(ArgumentError, match="--again"):
        ScoreRequest.parse("2026-10", again=True)


def test_a_take_over_reads_its_moments_in_vietnams_time() -> None:
    request = AdoptRequest.parse("H17", assume_finished_before="2026-10-01", verify=True, limit=500)
    assert request == AdoptRequest("H17", None, FIRST, verify=True, limit=500)
    with pytest.raises(ArgumentError, match="is not an instant"):
        AdoptRequest.parse("H17", frozen_at="yesterday")


@pytest.mark.parametrize("request_type", [ShadowRequest, AdoptRequest])
def test_nobody_asks_the_portal_about_less_than_one_dossier(request_type: type[ShadowRequest | AdoptRequest]) -> None:
    with pytest.raises(ArgumentError, match="number of dossiers"):
        request_type("H17", limit=0)


LISTED = 'Mã hồ sơ,Thời điểm bước\n"\'H17-1",2026-10-01T08:00\nH17-2,\n'


def test_a_work_list_gives_codes_and_for_steps_only_its_lines_about_steps() -> None:
    when = datetime(2026, 10, 1, 8, tzinfo=BUSINESS_ZONE)
    about = {"reason": "r", "decided_by": "me", "listing": LISTED}
    parked = DecisionRequest.parse("H17", Action.PARK, **about)  # type: ignore[arg-type]
    assert parked.choice == Choice(("H17-1", "H17-2"), (when, None))
    arrived = DecisionRequest.parse("H17", Action.ARRIVED, **about)  # type: ignore[arg-type]
    assert arrived.choice == Choice(("H17-1",), (when,))
    assert arrived.preview, "a decision is previewed unless it is said otherwise"


def test_a_rule_or_a_period_means_everything_of_it() -> None:
    resumed = DecisionRequest.parse("H17", Action.RESUME, reason="r", decided_by="me", rule="unanswered")
    assert resumed.choice == Choice(rule="unanswered")
    looked = DecisionRequest.parse("H17", Action.LOOK, reason="r", decided_by="me", since="2026-10-01")
    assert looked.choice == Choice(since=FIRST)


@pytest.mark.parametrize("chosen", [{}, {"codes": ["H17-1"], "everything": True}, {"codes": ["H17-1"], "rule": "r"}])
def test_which_dossiers_are_meant_is_said_once(chosen: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="exactly one"):
        DecisionRequest.parse("H17", Action.PARK, reason="r", decided_by="me", **chosen)
