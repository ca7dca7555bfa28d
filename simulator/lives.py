"""How dossiers come into being and move: channels, deadlines, lateness, supplements, payments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from simulator.catalogue import Agency, Catalogue, Procedure
from simulator.plans import Plan, Trait
from simulator.steps import Step
from simulator.streams import Weighted, between, pick
from simulator.workdays import DAY, HOUR, Workdays, instant, month_end, month_start, office_second

#: The two-tier system began on this day; dossiers of older date carry codes of provinces that were closed.
MERGER = instant(2025, 7, 1)


@dataclass(frozen=True)
class Calendar:
    """The window in which dossiers are submitted and the instant after which nothing has happened yet."""

    month: str
    first: int
    as_of: int
    days: Workdays

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, month: str) -> Calendar:
        first, as_of = month_start(month, back=2), month_end(month)
        return cls(month, first, as_of, Workdays(min(first, MERGER) - 120 * DAY, as_of + 500 * DAY))


class Lives:
    """Draws the lives of one province's dossiers."""

    def __init__(
        self, catalogue: Catalogue, province: str, calendar: Calendar, only: Collection[str] = ()
    ) -> None:  # fmt: skip
        """`only`: codes of the procedures to draw from, all equally often."""
        self.calendar = calendar
        self.province = province
        self.active = [
            procedure
            for procedure in catalogue.procedures
            if procedure.state == "active" and (not only or procedure.code in only)
        ]
        self.procedures = Weighted([1 if only else procedure.weight for procedure in self.active])
        agencies = catalogue.agencies_of(province)
        self.departments = {agency.code.split(".")[1]: agency for agency in agencies if agency.level == 1}
        self.communes = [agency for agency in agencies if agency.level == 3]
        self.commune = Weighted([3 if "phường" in agency.name else 1.6 for agency in self.communes])
        self.former = [agency for agency in self.communes if agency.former]
        self.window = calendar.days.range(calendar.first, calendar.as_of)

    def draw(self, rng: Random, dossier_id: int) -> Plan:
        """One dossier of the window as it stands at the as-of instant."""
        procedure = self.active[self.procedures.draw(rng)]
        agency = self._agency(rng, procedure)
        old = bool(agency.former) and rng.random() < 0.02
        online = procedure.online_level > 2 and not old and rng.random() < 0.6
        channel = 2 if online else 3 if rng.random() < 0.1 else 1
        traits = self._traits(rng, procedure, online) | (Trait.BEFORE_MERGER.value if old else 0)
        waiting = online and rng.random() < 0.07
        submitted = self._submission(rng, online=online, recent=waiting, old=old)
        plan = Plan(
            self.province, dossier_id, int(rng.random() * 2**52), procedure.index, agency.index, channel,
            procedure.subjects == "b" or (procedure.subjects == "cb" and rng.random() < 0.35),
            submitted, 0, 0, 0, (Step.SUBMITTED.value, submitted), traits, 0, 0, submitted,
        )  # fmt: skip
        if not waiting:
            self._live(rng, plan, procedure, agency, old)
        if not plan.received and not online:  # walk-ins are received on the spot, so they have no earlier life
            plan.received = plan.submitted
        plan.modified = self._modified(rng, plan)
        if rng.random() < 0.06:  # attachments rewritten later, without moving the dossier
            plan.touched = min(plan.last_at + between(rng, HOUR, 3 * DAY), self.calendar.as_of)
        return plan

    def _agency(self, rng: Random, procedure: Procedure) -> Agency:
        if procedure.level == 1:
            return self.departments[procedure.department]
        return self.communes[self.commune.draw(rng)]

    @staticmethod
    def _traits(rng: Random, procedure: Procedure, online: bool) -> int:
        draws = (
            (Trait.VNEID, 0.82 if online else 0.18), (Trait.POPULATION, 0.5 if online else 0.2),
            (Trait.DIGITISED, 0.85 if online else 0.5), (Trait.REUSE_COMPONENT, 0.14), (Trait.REUSE_RESULT, 0.06),
            (Trait.CITIZEN_STORE, 0.1 if online else 0.02),
            (Trait.ELECTRONIC_RESULT, (0.88 if online else 0.5) if procedure.result else 0),
            (Trait.EXEMPT, 0.06 if procedure.fee else 0), (Trait.RETURN_BY_POST, 0.15), (Trait.META_UNKNOWN, 0.04),
            (Trait.REPLACED_FILE, 0.05), (Trait.IMPORTED, 0.01), (Trait.SUBSTATUS, 0.1),
        )  # fmt: skip
        traits = 0
        for trait, chance in draws:
            if rng.random() < chance:
                traits |= trait.value
        return traits

    def _submission(self, rng: Random, *, online: bool, recent: bool, old: bool) -> int:
        days, (low, high) = self.calendar.days, self.window
        if old:
            return days.shift(MERGER - between(rng, 3, 70) * DAY, 0) + office_second(rng)
        if recent:
            low = max(low, high - 5)
        day = days.days[between(rng, low, high - 1)]
        if not online:
            return day * DAY + office_second(rng)
        second = 6 * HOUR + int((rng.random() + rng.random()) / 2 * 16.9 * HOUR)
        weekend = DAY * between(rng, 1, 2) if rng.random() < 0.1 else 0
        moment = day * DAY + second + weekend
        return moment if moment <= self.calendar.as_of else day * DAY + second

    def _live(self, rng: Random, plan: Plan, procedure: Procedure, agency: Agency, old: bool) -> None:
        """The whole life, cut off at the as-of instant."""
        days, as_of = self.calendar.days, self.calendar.as_of
        events: list[tuple[Step, int]] = []
        if plan.channel == 2:
            events.append((Step.SUBMITTED, plan.submitted))
            received = self._reception(rng, plan.submitted)
        else:
            received = plan.submitted + (between(rng, 0, 900) if rng.random() < 0.7 else 0)
        if plan.channel == 2 and rng.random() < 0.008:
            events.append((Step.REFUSED, received))
            self._cut(plan, events)
            return
        events.append((Step.RECEIVED, received))
        due = days.due(received, procedure.term_days)
        extended = self._journey(rng, events, procedure, agency, received, due, old)
        self._cut(plan, events)
        if received <= as_of:
            plan.received, plan.due = received, due
            plan.extended = extended[0] if extended[1] <= as_of else 0
            self._pay(rng, plan, procedure)

    def _reception(self, rng: Random, submitted: int) -> int:
        """Most online dossiers are taken in on the same or the next working day, some too late."""
        days = self.calendar.days
        delay = 0 if rng.random() < 0.5 else 1 if rng.random() < 0.8 else between(rng, 2, 4)
        received = days.shift(submitted, delay) + office_second(rng)
        if received < submitted + 600:
            received = days.shift(submitted + DAY, max(delay - 1, 0)) + office_second(rng)
        return received

    def _journey(
        self, rng: Random, events: list[tuple[Step, int]], procedure: Procedure, agency: Agency, received: int,
        due: int, old: bool,
    ) -> tuple[int, int]:  # fmt: skip
        """Everything after reception; returns (new appointment, when it was decided), or (0, 0)."""
        days, term = self.calendar.days, procedure.term_days
        start, end_of_term = days.at_or_after(received), days.at_or_after(due)

        def on(index: int) -> int:
            wanted = days.days[min(index, len(days.days) - 1)] * DAY + office_second(rng)
            return max(wanted, events[-1][1] + between(rng, 900, 2 * HOUR))

        fate = rng.random()
        if fate < 0.02:
            events.append((Step.REFUSED, on(start + int(rng.random() * 2))))
            return 0, 0
        events.append((Step.PROCESSING, events[-1][1] + between(rng, 600, 3 * HOUR)))
        if fate < 0.032:
            events.append((Step.WITHDRAWN, on(start + int(rng.random() * term))))
            return 0, 0
        if fate < 0.037:
            events.append((Step.STOPPED, on(start + int(rng.random() * (term + 2)))))
            return 0, 0
        late = rng.random() < 0.13 + agency.index * 37 % 10 / 100
        if late:
            end = end_of_term + 1 + int(rng.random() ** 2 * (term * 0.8 + 4))
        else:
            end = start + int((0.3 + 0.7 * rng.random()) * max(end_of_term - start, 1))
        if old:  # a file dragged along for more than a year: finished in the window, or still open
            end = between(rng, self.window[0], self.window[1] + 20)
        extended = (0, 0)
        if late and rng.random() < 0.22:
            extended = (days.shift(due, between(rng, 1, 5)) + 17 * HOUR, due - between(rng, HOUR, 8 * HOUR))
        if term >= 2 and rng.random() < 0.095:
            asked = on(start + 1 + int(term * 0.3 * rng.random()))
            events.append((Step.SUPPLEMENT_ASKED, asked))
            if rng.random() < 0.15:
                return extended
            wait = between(rng, 1, 6)
            done = max(days.shift(asked, wait) + office_second(rng), asked + HOUR)
            events.append((Step.SUPPLEMENT_DONE, done))
            end += wait
            extended = (days.shift(due, wait) + 17 * HOUR, done) if rng.random() < 0.8 else extended
        if procedure.fee >= 50_000 and term >= 3 and rng.random() < 0.2:
            events.append((Step.DUTY_ASKED, on(max(days.at_or_after(events[-1][1]), (start + end) // 2))))
            if rng.random() < 0.1:
                return extended
            events.append((Step.DUTY_DONE, on(days.at_or_after(events[-1][1]) + int(rng.random() * 4))))
        events.append((Step.FINISHED, on(end)))
        gap = 0 if rng.random() < 0.55 else between(rng, 1, 3)
        events.append((Step.RETURNED, on(days.at_or_after(events[-1][1]) + gap)))
        return extended

    def _cut(self, plan: Plan, events: list[tuple[Step, int]]) -> None:
        kept = [(step, moment) for step, moment in events if moment <= self.calendar.as_of]
        if kept:
            plan.events = tuple(number for step, moment in kept for number in (step.value, moment))

    def _pay(self, rng: Random, plan: Plan, procedure: Procedure) -> None:
        if not procedure.fee or plan.has(Trait.EXEMPT) or rng.random() < 0.06:
            return
        draw = rng.random()
        online = plan.channel == 2
        plan.pay = 1 if draw < (0.5 if online else 0.1) else 2 if draw < (0.75 if online else 0.2) else 3
        if plan.moment_of(Step.DUTY_ASKED):
            plan.paid = plan.moment_of(Step.DUTY_DONE)
        else:
            plan.paid = plan.received + between(rng, 60, 600)
        if not 0 < plan.paid <= self.calendar.as_of:
            plan.pay = plan.paid = 0

    def _modified(self, rng: Random, plan: Plan) -> int:
        """Mostly the last step; a tenth touched by the nightly job (ties); imports go backwards."""
        last = plan.last_at
        if plan.has(Trait.IMPORTED):
            return plan.submitted - between(rng, 1, 48) * HOUR
        if rng.random() < 0.1:
            nightly = last // DAY * DAY + 22 * HOUR
            if last <= nightly <= self.calendar.as_of:
                return nightly
        return min(last + int(rng.random() * 4), self.calendar.as_of)

    def next_step(self, rng: Random, plan: Plan) -> Step:
        """What happens next to an open dossier when time moves on."""
        choices: dict[Step, tuple[Step, ...]] = {
            Step.SUBMITTED: (Step.RECEIVED,),
            Step.RECEIVED: (Step.PROCESSING, Step.PROCESSING, Step.REFUSED),
            Step.PROCESSING: (Step.FINISHED, Step.FINISHED, Step.SUPPLEMENT_ASKED, Step.WITHDRAWN),
            Step.SUPPLEMENT_ASKED: (Step.SUPPLEMENT_DONE,),
            Step.SUPPLEMENT_DONE: (Step.FINISHED, Step.STOPPED),
            Step.DUTY_ASKED: (Step.DUTY_DONE,),
            Step.DUTY_DONE: (Step.FINISHED,),
            Step.FINISHED: (Step.RETURNED,),
        }
        return pick(rng, choices[plan.last_step])
