"""The portal's on-time rule (index-766 §5), branch by branch, each with a dossier worked out by hand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from lienthong.indices import Definition, ScoreKind
from lienthong.indices.definition import CompareBy, ProvisionalEnd, Unknown
from lienthong.model.periods import Month
from tests.indices.world import DEFINITION, NOW, OCTOBER, Dossier, Step, World, at, with_choices

PROVISIONAL = ScoreKind.PROVISIONAL


def verdict(
    world: World,
    dossier: Dossier,
    *,
    definition: Definition = DEFINITION,
    month: Month = OCTOBER,
    as_of: datetime = NOW,
    kind: ScoreKind = ScoreKind.FINAL,
) -> str:
    """`on time`, `overdue`, or `not counted`."""
    world.put(dossier)
    table = world.score(definition=definition, month=month, as_of=as_of, kind=kind)
    counted = world.counts(table)["H17.05", "2.1"]
    return {(1, 1): "on time", (0, 1): "overdue", (0, 0): "not counted"}[int(counted[0] or 0), int(counted[1] or 0)]


def done(when: str, **given: object) -> Dossier:
    """A dossier finished at `when`, as its step 9 says."""
    return Dossier("d", status=9, steps=(Step(9, at(when)),), **given)  # type: ignore[arg-type]


def test_an_end_exactly_at_the_appointment_is_on_time(world: World) -> None:
    assert verdict(world, done("2026-10-20 17:00:00")) == "on time"


def test_an_end_one_second_after_the_appointment_is_overdue(world: World) -> None:
    assert verdict(world, done("2026-10-20 17:00:01")) == "overdue"


def test_compared_by_date_the_whole_day_of_the_appointment_is_on_time(world: World) -> None:
    by_date = with_choices(compare_due_by=CompareBy.DATE)
    assert verdict(world, done("2026-10-20 23:59:59"), definition=by_date) == "on time"
    assert verdict(world, done("2026-10-21 00:00:00", version=2), definition=by_date) == "overdue"


def test_finished_goes_before_returned(world: World) -> None:
    steps = (Step(9, at("2026-10-19")), Step(10, at("2026-10-25")))
    assert verdict(world, Dossier("d", status=10, steps=steps)) == "on time"


def test_returned_goes_before_stopped_and_refused(world: World) -> None:
    steps = (Step(8, at("2026-10-10")), Step(10, at("2026-10-25")))
    assert verdict(world, Dossier("d", status=10, steps=steps)) == "overdue"


def test_a_stopped_dossier_ended_when_it_was_stopped(world: World) -> None:
    assert verdict(world, Dossier("d", status=8, steps=(Step(8, at("2026-10-19")),))) == "on time"
    assert verdict(world, Dossier("d", status=8, steps=(Step(8, at("2026-10-21")),), version=2)) == "overdue"


def test_without_a_step_the_dates_of_the_dossier_say_when_it_ended(world: World) -> None:
    assert verdict(world, Dossier("d", status=10, finished=at("2026-10-19"), returned=at("2026-10-25"))) == "on time"
    assert verdict(world, Dossier("d", status=10, returned=at("2026-10-25"), version=2)) == "overdue"
    assert verdict(world, Dossier("d", status=3, refused=at("2026-10-19"), version=3)) == "on time"


def test_the_last_of_several_steps_of_the_end_status_counts(world: World) -> None:
    steps = (Step(9, at("2026-10-19")), Step(9, at("2026-10-22")))
    assert verdict(world, Dossier("d", status=9, steps=steps)) == "overdue"


def test_a_withdrawal_after_reception_ends_the_dossier(world: World) -> None:
    assert verdict(world, Dossier("d", status=7, steps=(Step(7, at("2026-10-15")),))) == "on time"


def test_a_withdrawal_before_reception_is_not_counted(world: World) -> None:
    gone = Dossier(
        "d", status=7, received=None, due=None, submitted=at("2026-10-01"), steps=(Step(7, at("2026-10-02")),)
    )
    assert verdict(world, gone) == "not counted"


def test_an_end_status_without_any_date_leaves_the_dossier_open(world: World) -> None:
    assert verdict(world, Dossier("d", status=9)) == "overdue"
    assert verdict(world, Dossier("d", status=9, due=at("2026-11-20"), version=2)) == "on time"


def test_an_open_supplement_asked_once_ends_at_the_request(world: World) -> None:
    asked = (Step(2, at("2026-10-01")), Step(5, at("2026-10-20 17:00")))
    assert verdict(world, Dossier("d", status=5, steps=asked)) == "on time"
    late = (Step(2, at("2026-10-01")), Step(5, at("2026-10-20 17:01")))
    assert verdict(world, Dossier("d", status=5, steps=late, version=2)) == "overdue"


def test_an_open_supplement_asked_more_than_once_is_overdue_whatever_the_appointment(world: World) -> None:
    asked = (Step(5, at("2026-10-03")), Step(4, at("2026-10-05")), Step(5, at("2026-10-07")))
    assert verdict(world, Dossier("d", status=5, due=at("2026-12-31"), steps=asked)) == "overdue"


def test_the_wait_for_a_completed_supplement_is_subtracted(world: World) -> None:
    back = (Step(5, at("2026-10-10")), Step(4, at("2026-10-15")))
    in_time = (*back, Step(9, at("2026-10-25 17:00")))
    assert verdict(world, Dossier("d", status=9, steps=in_time)) == "on time"
    late = (*back, Step(9, at("2026-10-25 17:01")))
    assert verdict(world, Dossier("d", status=9, steps=late, version=2)) == "overdue"


def test_two_requests_before_the_citizen_is_back_are_one_wait(world: World) -> None:
    steps = (Step(5, at("2026-10-10")), Step(5, at("2026-10-12")), Step(2, at("2026-10-15")))
    assert verdict(world, Dossier("d", status=9, steps=(*steps, Step(9, at("2026-10-25 17:00"))))) == "on time"
    late = (*steps, Step(9, at("2026-10-25 17:01")))
    assert verdict(world, Dossier("d", status=9, steps=late, version=2)) == "overdue"


def test_two_completed_supplements_subtract_both_waits_and_are_not_overdue_by_themselves(world: World) -> None:
    steps = (Step(5, at("2026-10-05")), Step(4, at("2026-10-08")), Step(5, at("2026-10-10")), Step(4, at("2026-10-12")))
    assert verdict(world, Dossier("d", status=9, steps=(*steps, Step(9, at("2026-10-25 17:00"))))) == "on time"
    late = (*steps, Step(9, at("2026-10-25 17:01")))
    assert verdict(world, Dossier("d", status=9, steps=late, version=2)) == "overdue"


def test_in_progress_after_a_completed_supplement_the_wait_is_subtracted_from_the_last_day(world: World) -> None:
    steps = (Step(5, at("2026-10-05")), Step(4, at("2026-10-17")))  # 12 days; 31 October becomes 19 October, midnight
    assert verdict(world, Dossier("d", steps=steps)) == "on time"
    assert verdict(world, Dossier("d", due=at("2026-10-19 23:00"), steps=steps, version=2)) == "overdue"


def test_a_supplement_asked_or_met_after_the_month_has_not_happened_in_it(world: World) -> None:
    steps = (Step(5, at("2026-10-19")), Step(4, at("2026-11-02")), Step(5, at("2026-11-03")))
    assert verdict(world, Dossier("d", status=5, steps=steps)) == "on time"
    assert verdict(world, Dossier("d", status=5, steps=steps), month=Month(2026, 11), kind=PROVISIONAL) == "overdue"


def test_an_open_dossier_is_judged_by_the_last_day_of_the_month(world: World) -> None:
    assert verdict(world, Dossier("d", due=at("2026-10-31 23:00"))) == "overdue"
    assert verdict(world, Dossier("d", due=at("2026-11-01 00:00"), version=2)) == "on time"


def test_a_provisional_score_judges_open_dossiers_by_its_as_of(world: World) -> None:
    dossier = Dossier("d", due=at("2026-10-20 17:00"))
    assert verdict(world, dossier, as_of=at("2026-10-20 17:00"), kind=PROVISIONAL) == "on time"
    assert verdict(world, dossier, as_of=at("2026-10-20 17:01"), kind=PROVISIONAL) == "overdue"
    to_the_end = with_choices(provisional_end=ProvisionalEnd.PERIOD_END)
    assert verdict(world, dossier, definition=to_the_end, as_of=at("2026-10-20"), kind=PROVISIONAL) == "overdue"


def test_a_dossier_can_be_on_time_in_one_month_and_overdue_in_the_next(world: World) -> None:
    dossier = Dossier("d", status=9, due=at("2026-11-02 17:00"), steps=(Step(9, at("2026-11-04")),))
    assert verdict(world, dossier) == "on time"
    assert verdict(world, dossier, month=Month(2026, 11), kind=PROVISIONAL) == "overdue"


@pytest.mark.parametrize(
    ("ended", "expected"),
    [("2026-09-30 23:59:59", "not counted"), ("2026-10-01 00:00:00", "on time")],
)
def test_a_dossier_ended_before_the_month_began_in_vietnam_is_not_counted(
    world: World, ended: str, expected: str
) -> None:
    assert verdict(world, done(ended, received=at("2026-09-01"))) == expected


@pytest.mark.parametrize(
    ("received", "expected"), [("2026-10-31 23:59:59", "on time"), ("2026-11-01 00:00:00", "not counted")]
)
def test_a_dossier_received_after_the_month_ended_in_vietnam_is_not_counted(
    world: World, received: str, expected: str
) -> None:
    assert verdict(world, Dossier("d", received=at(received), due=at("2026-12-01"))) == expected


def test_without_an_appointment_the_maximum_term_in_days_decides(world: World) -> None:
    world.procedure("1.000002", term=10, unit="Ngày")
    steps = (Step(5, at("2026-10-02")), Step(4, at("2026-10-05")))
    in_time = (*steps, Step(9, at("2026-10-14 08:00")))  # 13 days less 3 of waiting
    assert verdict(world, Dossier("d", procedure="1.000002", status=9, due=None, steps=in_time)) == "on time"
    late = (*steps, Step(9, at("2026-10-14 08:01")))
    assert verdict(world, Dossier("d", procedure="1.000002", status=9, due=None, steps=late, version=2)) == "overdue"


def test_without_an_appointment_a_term_in_working_days_skips_weekends_and_holidays(world: World) -> None:
    world.procedure("1.000002", term=3, unit=" Ngày làm việc ")
    friday = at("2026-10-02 09:00")
    on_wednesday = Dossier(
        "d", procedure="1.000002", status=9, received=friday, due=None, steps=(Step(9, at("2026-10-07 16:00")),)
    )
    assert verdict(world, on_wednesday) == "on time"
    on_thursday = Dossier(
        "d",
        procedure="1.000002",
        status=9,
        received=friday,
        due=None,
        version=2,
        steps=(Step(9, at("2026-10-08 08:00")),),
    )
    assert verdict(world, on_thursday) == "overdue"
    monday_off = with_choices(holidays=(at("2026-10-05").date(),))
    assert verdict(world, on_thursday, definition=monday_off) == "on time"


def test_without_appointment_and_term_the_dossier_is_not_shown_to_be_on_time(world: World) -> None:
    dossier = done("2026-10-02", due=None)
    assert verdict(world, dossier) == "overdue"
    assert verdict(world, dossier, definition=with_choices(without_due_and_term=Unknown.ON_TIME)) == "on time"


def test_the_score_of_on_time_is_rounded_half_up_from_the_unrounded_rate(world: World) -> None:
    world.put(*(Dossier(f"d{n}", due=at("2026-12-01")) for n in range(2)), Dossier("late", due=at("2026-10-02")))
    unit = next(unit for unit in world.score().units if unit.agency_code == "H17.05")
    assert unit.components["2.1"].score == Decimal("13.33")
