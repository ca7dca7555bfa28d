"""The simulated world: dossiers of every province, their truth and their faults, from a seed, a size and a month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from simulator import sectors, wire
from simulator.catalogue import PROVINCES, Catalogue, Province, catalogue
from simulator.defects import DEFAULT_RATES, Defect, assign
from simulator.facts import Facts, derive
from simulator.ledger import Disagreement, Entry
from simulator.lives import Calendar, Lives
from simulator.plans import Plan, Trait
from simulator.streams import stream
from simulator.workdays import DAY, stamp

DEFAULT_SIZE = 1500
FIRST_ID = 10_001


@dataclass
class World:
    """Everything that is true outside. `plans` is per province, `held` per sectoral system; both ordered by dossierId.

    `as_of` is where the world began; `clocks` and `moves` say, per province, how far `advance` has taken it.
    Two worlds with the same seed, size, month, rates and moves are equal on any machine.
    """

    seed: int
    size: int
    month: str
    as_of: int
    plans: dict[str, list[Plan]]
    catalogue: Catalogue
    rates: Mapping[Defect, float]
    moves: dict[str, int] = field(default_factory=dict)
    clocks: dict[str, int] = field(default_factory=dict)
    serials: dict[str, dict[tuple[str, int], int]] = field(default_factory=dict)
    held: dict[str, list[Plan]] = field(default_factory=dict)

    @classmethod
    def generate(
        cls, seed: int, size: int = DEFAULT_SIZE, month: str = "2026-10", *,
        provinces: Sequence[str] = ("H17", "H26"), rates: Mapping[Defect, float] = DEFAULT_RATES,
        held: Sequence[str] = (),
    ) -> World:  # fmt: skip
        """`size` dossiers per province (duplicates come on top), submitted in the three months up to `month`.

        `held`: sectoral systems (`sectors.SECTORS`) of these provinces; the provinces' own systems get copies.
        """
        calendar = Calendar.of(month)
        world = cls(seed, size, month, calendar.as_of, {}, catalogue(), rates)
        for code in provinces:
            world._populate(PROVINCES[code], calendar)
        for source_id in held:
            sectors.populate(world, sectors.SECTORS[source_id], calendar)
        return world

    @property
    def provinces(self) -> tuple[Province, ...]:
        return tuple(PROVINCES[code] for code in self.plans)

    def facts(self, plan: Plan) -> Facts:
        """The dossier behind a plan, in full and without its fault."""
        return derive(plan, PROVINCES[plan.province], self.catalogue)

    def plan(self, province: str, dossier_id: int) -> Plan:
        """The dossier of that number; KeyError when there is none."""
        plans, index = self.plans[province], dossier_id - FIRST_ID
        if not 0 <= index < len(plans):
            raise KeyError(f"{province} has no dossier {dossier_id}")
        return plans[index]

    def truth(self, plan: Plan) -> wire.Wire:
        """The dossier in the portal's words (`wire.dossier`)."""
        return wire.dossier(self.facts(plan))

    def holding(self, source_id: str, dossier_id: int) -> Entry:
        """What the ledger says about one dossier of a sectoral system."""
        return sectors.entry(self, sectors.SECTORS[source_id], self.held[source_id][dossier_id - 1])

    def disagreements(self, source_id: str | None = None) -> Iterator[Disagreement]:
        """What the provinces' copies say otherwise than the sectoral systems, or than one of them."""
        for known in self.held:
            if source_id in (None, known):
                yield from sectors.disagreements(self, known)

    def entry(self, plan: Plan) -> Entry:
        """What the ledger says about one dossier."""
        facts = self.facts(plan)
        if plan.defect == Defect.ORPHAN_CHILD:
            return Entry(plan.province, plan.dossier_id, None, {}, (), (plan.defect,), 0)
        return Entry(
            plan.province, plan.dossier_id, plan.code, wire.dossier(facts), tuple(wire.steps(facts)),
            (plan.defect,) if plan.defect else (), plan.original,
        )  # fmt: skip

    def ledger(self, province: str | None = None) -> Iterator[Entry]:
        """Every dossier of the world, or of one province or sectoral system, in order of dossierId."""
        for code, plans in self.plans.items():
            if province in (None, code):
                yield from (self.entry(plan) for plan in plans)
        for source_id, plans in self.held.items():
            if province in (None, source_id):
                yield from (self.holding(source_id, plan.dossier_id) for plan in plans)

    def give_code(self, plan: Plan) -> None:
        """Number a dossier: agency, day, running number of the agency on that day.

        OpenCPS does so at reception; iGate when the dossier is registered, so that a waiting one has a number already.
        """
        agency = self.catalogue.agencies[plan.agency]
        moment = self._numbered_at(plan)
        changed = agency.changed_spelling and moment < self.as_of - 30 * DAY
        prefix = agency.old_code if changed else agency.code
        if plan.has(Trait.BEFORE_MERGER):
            prefix = agency.former_code
        serials = self.serials.setdefault(plan.province, {})
        key = (prefix, moment // DAY)
        serials[key] = serials.get(key, 0) + 1
        plan.code = f"{prefix}-{stamp(moment)}-{serials[key]:04d}"

    @staticmethod
    def _numbered_at(plan: Plan) -> int:
        return plan.submitted if PROVINCES[plan.province].system == "igate" else plan.received

    def next_id(self, province: str) -> int:
        return self.plans[province][-1].dossier_id + 1

    def _populate(self, province: Province, calendar: Calendar) -> None:
        lives = Lives(self.catalogue, province.code, calendar)
        rng = stream(self.seed, province.code, "lives")
        self.moves[province.code], self.clocks[province.code] = 0, self.as_of
        plans = [lives.draw(rng, 0) for _ in range(self.size)]
        plans.sort(key=lambda plan: plan.submitted)
        for number, plan in enumerate(plans):
            plan.dossier_id = FIRST_ID + number
        for plan in sorted(plans, key=lambda plan: (self._numbered_at(plan), plan.dossier_id)):
            if self._numbered_at(plan):
                self.give_code(plan)
        doubles = assign(plans, self.rates, stream(self.seed, province.code, "defects"))
        self.plans[province.code] = plans
        for plan in doubles:
            plans.append(
                replace(
                    plan, dossier_id=self.next_id(province.code), original=plan.dossier_id, defect=Defect.DUPLICATE_ROW
                )
            )
