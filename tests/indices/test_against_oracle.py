"""Random dossiers, counted twice: by the statements and by plain Python."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from lienthong.indices import ScoreKind
from lienthong.model.periods import Month
from tests.indices.oracle import Period, Procedure, count
from tests.indices.world import NOW, OCTOBER, Dossier, Paper, Step, World, at

AGENCIES = (None, "H17", "H17.05", "H17.101", "H17.102", "H17.77", "H99.01")
UNITS = ("H17", "H17.01", "H17.05", "H17.101", "H17.102")


def some_procedures(rng: random.Random) -> dict[str, Procedure]:
    return {
        f"1.00000{number}": Procedure(
            returns_paper=rng.random() < 0.6,
            has_fee=rng.random() < 0.6,
            for_citizens=rng.random() < 0.7,
            in_force=rng.random() < 0.8,
            days=rng.choice([None, 3, 10]),
        )
        for number in range(8)
    }


def some_dossier(rng: random.Random, key: str) -> Dossier:
    base = at("2026-08-20") + timedelta(seconds=rng.randrange(80 * 86400))

    def later(days: float = 30) -> datetime:
        return base + timedelta(seconds=rng.randrange(int(days * 86400)) - 3600)

    def maybe(chance: float, days: float = 30) -> datetime | None:
        return later(days) if rng.random() < chance else None

    when = sorted(later(45) for _ in range(rng.randrange(7)))
    return Dossier(
        key,
        agency=rng.choice(AGENCIES),
        procedure=rng.choice([None, "9.999999", *(f"1.00000{number}" for number in range(8))]),
        status=rng.choice([None, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 9]),
        channel=rng.choice([None, 1, 2, 2, 3]),
        submitted=maybe(0.8, 2),
        received=base if rng.random() < 0.9 else None,
        due=maybe(0.8),
        finished=maybe(0.4),
        returned=maybe(0.3),
        refused=maybe(0.2),
        digitised=rng.choice([None, True, False]),
        vneid=rng.choice([None, True, False, False]),
        databases=rng.choice([None, (), ("1",), ("1", "7")]),
        online_payment=rng.choice([None, 0, 1, 2, 3]),
        steps=tuple(
            Step(rng.choice([None, 1, 2, 3, 4, 4, 5, 5, 5, 6, 7, 8, 9, 10]), moment if rng.random() < 0.95 else None, n)
            for n, moment in enumerate(when)
        ),
        papers=tuple(
            Paper(
                rng.choice(["component", "result"]), rng.choice([None, True, True, False]),
                rng.choice([None, "", "KQ.1"]), rng.choice([None, False, False, True]),
                rng.choice([None, True, False]), rng.choice([None, False, True]),
                rng.choice([None, "", "https://a.example/1", "https://a.example/2"]),
            )
            for _ in range(rng.randrange(4))
        ),
        fees=tuple(rng.choice([None, 0, 0, 15000]) for _ in range(rng.randrange(3))),
        acknowledged=rng.random() < 0.5,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_statements_count_what_plain_python_counts(warehouse: Engine, world: World, seed: int) -> None:
    rng = random.Random(seed)
    procedures = some_procedures(rng)
    world.execute("DELETE FROM registry.procedure", [{}])
    for code, procedure in procedures.items():
        world.procedure(
            code,
            returns_paper=procedure.returns_paper,
            has_fee=procedure.has_fee,
            subjects=["Doanh nghiệp", "Người nước ngoài"] if procedure.for_citizens else ["Doanh nghiệp"],
            active=procedure.in_force or seed == 2,
            vanished=not procedure.in_force and seed == 2,
            term=procedure.days,
            unit="Ngày",
        )
    services: dict[str, dict[str, int]] = {code: {} for code in ("H17.05", "H17.101", "H17.77")}
    for agency, offered in services.items():
        for code in rng.sample(sorted(procedures), 5):
            offered[code] = rng.choice([2, 3, 4])
            world.service(agency, code, offered[code])
    everywhere: dict[str, int] = {}
    for offered in services.values():
        for code, level in offered.items():
            everywhere[code] = max(level, everywhere.get(code, 0))
    dossiers = [some_dossier(rng, f"d{number}") for number in range(400)]
    world.put(*dossiers)
    through = OCTOBER.end - timedelta(microseconds=1)
    for month, kind, as_of, last in (
        (OCTOBER, ScoreKind.FINAL, NOW, through),
        (OCTOBER, ScoreKind.PROVISIONAL, at("2026-10-17 12:00"), at("2026-10-17 12:00")),
        (Month(2026, 9), ScoreKind.FINAL, NOW, Month(2026, 9).end - timedelta(microseconds=1)),
    ):
        counted = world.counts(world.score(month=month, kind=kind, as_of=as_of))
        for unit in UNITS:
            own = [dossier for dossier in dossiers if unit == "H17" or dossier.agency == unit]
            expected = count(
                own, procedures, everywhere if unit == "H17" else services.get(unit, {}), Period(month.start, last)
            )
            got = {component: numbers for (agency, component), numbers in counted.items() if agency == unit}
            assert got == {
                component: (Decimal(numerator), Decimal(denominator))
                for component, (numerator, denominator) in expected.items()
            }, (seed, str(month), unit)
        assert sum(int(numbers[1] or 0) for numbers in counted.values()) > 500
