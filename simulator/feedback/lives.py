"""How petitions and ratings come into being and move on."""

from __future__ import annotations

from random import Random

from simulator.feedback.petitions import CLASSES, Act, Desk, Petition
from simulator.feedback.ratings import CRITERIA, LEVELS, Rating
from simulator.lives import Calendar
from simulator.plans import Plan
from simulator.steps import Step
from simulator.streams import Weighted, between, pick
from simulator.workdays import DAY, HOUR, office_second
from simulator.world import World

_MINUTE = 60
_CLASS = Weighted((0.5, 0.3, 0.2))
_LEVEL = Weighted((0.07, 0.18, 0.75))
_FEW = Weighted((0.35, 0.35, 0.2, 0.1))


def minute(moment: int) -> int:
    """Petitions are dated to the minute, as one of the desks shows no seconds."""
    return moment // _MINUTE * _MINUTE


class FeedbackLives:
    """Draws what one province's citizens say."""

    def __init__(self, world: World, province: str) -> None:
        self.province = province
        self.calendar = Calendar.of(world.month)
        agencies = world.catalogue.agencies_of(province)
        self._reception = agencies[0].index
        self._handling = [agency.index for agency in agencies[1:]]
        self._window = self.calendar.days.range(self.calendar.first, self.calendar.as_of)
        plans = world.plans[province]
        copied = {plan.original for plan in plans}
        self._numbered = [
            plan for plan in plans if plan.code and plan.received and not plan.defect and plan.dossier_id not in copied
        ]

    def petition(self, rng: Random, desk: Desk, number: int, sent: int = 0) -> Petition:
        """A petition of the window as it stands at the as-of instant; with `sent`, a new one of that instant."""
        days = self.calendar.days
        at = sent or days.days[between(rng, self._window[0], self._window[1] - 1)] * DAY + between(rng, 6, 22) * HOUR
        at = minute(at + between(rng, 0, 59) * _MINUTE * (not sent))
        about = pick(rng, self._numbered) if self._numbered and rng.random() < 0.35 else None
        plan = Petition(
            desk, self.province, number, int(rng.random() * 2**52), "", CLASSES[_CLASS.draw(rng)], self._reception,
            about.agency if about and about.agency in self._handling else pick(rng, self._handling),
            (Act.SENT.value, min(at, self.calendar.as_of) if not sent else at), (about.code or "") if about else "",
        )  # fmt: skip
        while not sent and not plan.closed:
            act, wait = self._next(rng, plan)
            moment = minute(days.shift(plan.events[-1], wait) + office_second(rng))
            moment = max(moment, plan.events[-1] + _MINUTE)
            if moment > self.calendar.as_of:
                break
            self.happen(rng, plan, act, moment)
        plan.modified = plan.events[-1]
        return plan

    def happen(self, rng: Random, plan: Petition, act: Act, at: int) -> None:
        """Let something happen to a petition at an instant of whole minutes."""
        plan.events = (*plan.events, act.value, at)
        plan.modified = at
        if act in (Act.ANSWERED, Act.PUBLISHED):
            plan.likes += _FEW.draw(rng)
            plan.dislikes += _FEW.draw(rng) * (rng.random() < 0.35)
            plan.again = plan.again or rng.random() < 0.05

    def next_act(self, rng: Random, plan: Petition) -> Act:
        """What may come next."""
        return self._next(rng, plan)[0]

    @staticmethod
    def _next(rng: Random, plan: Petition) -> tuple[Act, int]:
        """The next act and how many working days it takes."""
        draw = rng.random()
        match plan.last_act:
            case Act.SENT:
                return (Act.REFUSED, between(rng, 1, 3)) if draw < 0.06 else (Act.TRANSFERRED, between(rng, 0, 2))
            case Act.TRANSFERRED:
                if draw < 0.1:
                    return Act.TRANSFERRED, between(rng, 1, 3)
                if draw < 0.22:
                    return Act.SUPPLEMENT_ASKED, between(rng, 1, 6)
                return (Act.WITHDRAWN, 1) if draw < 0.24 else (Act.PROCESSING, between(rng, 0, 3))
            case Act.SUPPLEMENT_ASKED:
                return (Act.WITHDRAWN, 9) if draw < 0.1 else (Act.SUPPLEMENTED, between(rng, 1, 9))
            case Act.ANSWERED:
                return Act.PUBLISHED, between(rng, 0, 4) if draw < 0.8 else 60
            case _:
                return Act.ANSWERED, between(rng, 3, 18)

    def rating(self, rng: Random, number: int, about: Plan, rated: int = 0) -> Rating:
        """What somebody thinks of how a dossier was handled, some hours after it ended or at `rated`."""
        level = _LEVEL.draw(rng)
        marks = "".join(
            str(max(0, min(2, level + (rng.random() < 0.1) - (rng.random() < 0.1)))) for _ in range(CRITERIA)
        )
        at = rated or min(ended(about) + between(rng, 60, 5 * DAY), self.calendar.as_of)
        return Rating(
            self.province, number, int(rng.random() * 2**52), about.code or "", about.agency, LEVELS[level],
            "2" if about.channel == 2 else "1", marks, at,
        )  # fmt: skip

    def ratable(self) -> list[Plan]:
        """Dossiers that have come to an end, without a fault of their own."""
        return [plan for plan in self._numbered if ended(plan)]


def ended(plan: Plan) -> int:
    """When a dossier's result was there or handed over; 0 = not yet."""
    return plan.moment_of(Step.RETURNED) or plan.moment_of(Step.FINISHED)
