"""All petitions and ratings of one province, moved on while others read them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from simulator.catalogue import PROVINCES
from simulator.feedback import ratings as rated
from simulator.feedback.defects import DEFAULT_SHARE, spoil_petitions, spoil_ratings
from simulator.feedback.ledger import FeedbackEntry
from simulator.feedback.lives import FeedbackLives, minute
from simulator.feedback.petitions import Act, Desk, Petition, PetitionFacts, derive
from simulator.feedback.ratings import Rating, RatingFacts
from simulator.feedback.truth import petition_entry, rating_entry
from simulator.streams import between, pick, stream
from simulator.workdays import DAY, HOUR
from simulator.world import World

FIRST_NUMBER = 1001
LEAST = 120

#: Provinces whose capital city runs a 1022, and that serve their ratings.
WITH_HOTLINE = ("H17",)
WITH_RATINGS = ("H17",)


@dataclass(frozen=True)
class FeedbackChange:
    """One thing that happened: `what` is new, act, like, touch, gone or edit; `desk` is pakn, hotline or rating."""

    desk: str
    number: int
    what: str


class Feedback:
    """What one province's citizens say. `petitions` is per desk, `ratings` a list; both in order of number.

    Take `lock` to read several records of one moment, or to move them.
    """

    def __init__(self, world: World, province: str) -> None:
        self.world, self.province, self.seed = world, province, world.seed
        self.lock = threading.RLock()
        self.lives = FeedbackLives(world, province)
        self.clock, self.moves = self.lives.calendar.as_of, 0
        self.petitions: dict[Desk, list[Petition]] = {desk: [] for desk in Desk}
        self.ratings: list[Rating] = []

    @classmethod
    def of(cls, world: World, province: str, *, size: int = 0, share: float = DEFAULT_SHARE) -> Feedback:
        """`size` petitions per desk (default: a tenth of the dossiers). `share`: of each fault; 0 = none at all."""
        made = cls(world, province)
        number = size or max(LEAST, world.size // 10)
        made._populate(Desk.PAKN, number)
        if province in WITH_HOTLINE:
            made._populate(Desk.HOTLINE, number)
            made._pass_on()
        if province in WITH_RATINGS:
            made._rate(size or max(LEAST, world.size // 5))
        for desk, plans in made.petitions.items():
            spoil_petitions(plans, share, stream(world.seed, province, "feedback", desk, "defects"))
        spoil_ratings(made.ratings, share, stream(world.seed, province, "ratings", "defects"))
        return made

    def facts(self, plan: Petition) -> PetitionFacts:
        return derive(plan, PROVINCES[self.province], self.world.catalogue, self.lives.calendar.days)

    def rating_facts(self, plan: Rating) -> RatingFacts:
        return rated.derive(plan, self.world.catalogue)

    def petition(self, desk: Desk, number: int) -> Petition:
        """KeyError when there is none."""
        plans, index = self.petitions[desk], number - FIRST_NUMBER
        if not 0 <= index < len(plans):
            raise KeyError(f"{desk} has no petition {number}")
        return plans[index]

    def rating(self, number: int) -> Rating:
        return self.ratings[number - FIRST_NUMBER]

    def ledger(self) -> Iterator[FeedbackEntry]:
        """Every record that exists or existed, as it ought to be believed."""
        for plans in self.petitions.values():
            yield from (petition_entry(self.facts(plan)) for plan in plans)
        yield from (rating_entry(self.rating_facts(plan)) for plan in self.ratings)

    def entries(self, change: FeedbackChange) -> Iterator[FeedbackEntry]:
        """The ledger's entries of what a change touched: the record, and its copy at the other desk."""
        if change.desk == "rating":
            yield rating_entry(self.rating_facts(self.rating(change.number)))
            return
        plan = self.petition(Desk(change.desk), change.number)
        yield petition_entry(self.facts(plan))
        if plan.twin:
            other = Desk.HOTLINE if plan.desk == Desk.PAKN else Desk.PAKN
            yield petition_entry(self.facts(self.petition(other, plan.twin)))

    def advance(self, seed: int, changes: int = 6, at: int = 0) -> list[FeedbackChange]:
        """About `changes` things happen. With `at` (an instant) all just then, else in the course of a working day."""
        with self.lock:
            rng = stream(seed, self.province, "feedback", "advance", self.moves)
            self.moves += 1
            self.clock = (
                max(at, self.clock + 60) if at else self.lives.calendar.days.shift(self.clock + DAY, 0) + 17 * HOUR
            )
            return [self._move(rng, number) for number in range(changes)]

    def remove(self, desk: Desk, number: int) -> None:
        """Somebody deletes a petition for good."""
        with self.lock:
            self.petition(desk, number).gone = True

    def remove_rating(self, number: int) -> None:
        with self.lock:
            self.rating(number).gone = True

    def save(self, path: Path) -> None:
        """Keep everything in one file, in one step."""
        with self.lock:
            content = {
                "clock": self.clock, "moves": self.moves,
                "petitions": {desk: [asdict(plan) for plan in plans] for desk, plans in self.petitions.items()},
                "ratings": [asdict(plan) for plan in self.ratings],
            }  # fmt: skip
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, world: World, province: str, path: Path) -> Feedback:
        """What `save` kept. ValueError when it can't be used."""
        made = cls(world, province)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            made.clock, made.moves = content["clock"], content["moves"]
            for desk, rows in content["petitions"].items():
                made.petitions[Desk(desk)] = [Petition(**{**row, "events": tuple(row["events"])}) for row in rows]
            made.ratings = [Rating(**row) for row in content["ratings"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"the kept petitions {path} can't be read ({type(error).__name__}): remove the folder and start anew"
            ) from None
        return made

    def _populate(self, desk: Desk, size: int) -> None:
        rng = stream(self.seed, self.province, "feedback", desk)
        plans = sorted((self.lives.petition(rng, desk, 0) for _ in range(size)), key=lambda plan: plan.sent)
        for plan in plans:
            self._enter(plan)

    def _enter(self, plan: Petition) -> Petition:
        plan.number = FIRST_NUMBER + len(self.petitions[Desk(plan.desk)])
        running = plan.number - FIRST_NUMBER + 1
        plan.code = f"PAKN.{self.province}.{running:06d}" if plan.desk == Desk.PAKN else f"1022-{running:06d}"
        self.petitions[Desk(plan.desk)].append(plan)
        return plan

    def _pass_on(self) -> None:
        """Every sixth petition of the 1022 that was transferred went to the national system, which has it from then."""
        for plan in self.petitions[Desk.HOTLINE]:
            if plan.moment_of(Act.TRANSFERRED) and plan.number % 6 == 0:
                self._hand_over(plan)

    def _hand_over(self, plan: Petition) -> None:
        at = next(index for index in range(0, len(plan.events), 2) if plan.events[index] == Act.TRANSFERRED)
        sent = plan.events[at + 1]
        copy = replace(
            plan, desk=Desk.PAKN, origin=plan.code, twin=plan.number, events=(Act.SENT.value, sent, *plan.events[at:])
        )
        plan.twin = self._enter(copy).number

    def _rate(self, size: int) -> None:
        rng = stream(self.seed, self.province, "ratings")
        for about in self.lives.ratable():
            if len(self.ratings) >= size:
                break
            if rng.random() < 0.6:
                self.ratings.append(self.lives.rating(rng, FIRST_NUMBER + len(self.ratings), about))

    def _move(self, rng: Random, number: int) -> FeedbackChange:
        """New petitions, acts, likes, touches and ratings take turns."""
        desk = pick(rng, [desk for desk, plans in self.petitions.items() if plans])
        at = minute(self.clock)
        match (self.moves + number) % 6:
            case 0:
                plan = self._enter(self.lives.petition(rng, desk, 0, sent=at))
                return FeedbackChange(desk, plan.number, "new")
            case 1 if self.ratings:
                return self._new_rating(rng)
            case 2:
                return self._react(rng, desk, at)
            case _:
                return self._act(rng, desk, at)

    def _act(self, rng: Random, desk: Desk, at: int) -> FeedbackChange:
        open_ = [plan for plan in self._movable(desk) if not plan.closed and plan.events[-1] < at]
        if not open_:
            return FeedbackChange(desk, self._enter(self.lives.petition(rng, desk, 0, sent=at)).number, "new")
        plan = pick(rng, open_)
        act = self.lives.next_act(rng, plan)
        self.lives.happen(rng, plan, act, at)
        if plan.twin:
            copy = self.petition(Desk.HOTLINE if desk is Desk.PAKN else Desk.PAKN, plan.twin)
            self.lives.happen(rng, copy, act, at)
        return FeedbackChange(desk, plan.number, "act")

    def _react(self, rng: Random, desk: Desk, at: int) -> FeedbackChange:
        """Somebody presses a button; every other time a job rewrites the row without changing it."""
        answered = [plan for plan in self._movable(desk) if plan.moment_of(Act.ANSWERED)]
        if not answered:
            return self._act(rng, desk, at)
        plan = pick(rng, answered)
        if rng.random() < 0.5:
            plan.touched = at
            return FeedbackChange(desk, plan.number, "touch")
        plan.modified = at
        if rng.random() < 0.7:
            plan.likes += 1
        else:
            plan.dislikes, plan.again = plan.dislikes + 1, True
        return FeedbackChange(desk, plan.number, "like")

    def _new_rating(self, rng: Random) -> FeedbackChange:
        known = {plan.dossier for plan in self.ratings}
        free = [plan for plan in self.lives.ratable() if plan.code not in known] or self.lives.ratable()
        at = self.clock - between(rng, 0, 59)
        plan = self.lives.rating(rng, FIRST_NUMBER + len(self.ratings), pick(rng, free), at)
        self.ratings.append(plan)
        return FeedbackChange("rating", plan.number, "new")

    def _movable(self, desk: Desk) -> list[Petition]:
        return [plan for plan in self.petitions[desk] if plan.defect is None and not plan.gone]
