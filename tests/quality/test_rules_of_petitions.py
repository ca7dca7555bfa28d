"""Each rule of petitions and ratings on rows that keep it and rows that break it. A row breaks no other rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.kinds import KINDS
from lienthong.quality.gate import run_gate
from lienthong.quality.suites import load_suites
from lienthong.settings import PROJECT
from lienthong.warehouse.statements import of_kind, run
from tests.quality.staged import COMMON, NOON, SOURCE, TENANT, violations

DAY = timedelta(days=1)
Row = dict[str, Any]


def petition(**changes: Any) -> Row:
    """A published petition that no rule objects to, but for `changes`."""
    return {
        "petition_code": "PAKN.H17.000001",
        "classification": 1,
        "agency_code": "H17.05",
        "agency_name": "Sở Tư pháp",
        "status": 6,
        "sent_at": NOON - 9 * DAY,
        "transferred_at": NOON - 8 * DAY,
        "supplement_asked_at": NOON - 7 * DAY,
        "answered_at": NOON - 3 * DAY,
        "published_at": NOON - 2 * DAY,
        "refused_at": None,
        "dossier_code": "H17.05-261001-0001",
        "was_not_nfc": False,
        **changes,
    }


def rating(**changes: Any) -> Row:
    """A rating of the dossier that is believed, but for `changes`."""
    return {
        "dossier_code": "H17.05-261001-0001",
        "agency_code": "H17.05",
        "satisfaction": 3,
        "rated_at": NOON - DAY,
        "was_not_nfc": False,
        **changes,
    }


#: Entity → (row, rules that it breaks). Children without a `source_key` of their own belong to the record "good".
CASES: dict[str, list[tuple[Row, set[str]]]] = {
    "petition": [
        (petition(), set()),
        (petition(source_key=" "), {"source_key_present"}),
        (petition(type_errors=["sent_at"]), {"petition_typed"}),
        (petition(sent_at=None), {"petition_sent_dated"}),
        (petition(agency_code=None), {"agency_known"}),
        (petition(agency_code="H17.999"), {"agency_known"}),
        (petition(status=None), {"petition_status_mapped"}),
        (petition(status=9), {"petition_status_mapped"}),
        (petition(status=8, published_at=None), set()),
        (petition(classification=None), {"petition_class_mapped"}),
        (petition(classification=4), {"petition_class_mapped"}),
        (petition(answered_at=NOON - 10 * DAY), {"petition_answered_after_sent"}),
        (petition(answered_at=NOON - 9 * DAY), set()),
        (petition(transferred_at=NOON - 10 * DAY), {"petition_dates_in_order"}),
        (petition(supplement_asked_at=NOON - 10 * DAY), {"petition_dates_in_order"}),
        (petition(published_at=NOON - 4 * DAY), {"petition_dates_in_order"}),
        (petition(refused_at=NOON - 3 * DAY), {"petition_refused_or_answered"}),
        (petition(refused_at=NOON - 3 * DAY, answered_at=None, published_at=None, status=7), set()),
        (petition(answered_at=None), {"petition_answered_when_published"}),
        (petition(answered_at=None, published_at=None), {"petition_answered_when_published"}),
        (petition(answered_at=None, published_at=None, status=4), set()),
        (petition(dossier_code=None), set()),
        (petition(dossier_code="H17.05/261001/0001"), {"petition_dossier_code_well_formed"}),
        (petition(answered_at=NOON + 2 * DAY, published_at=None, status=5), {"petition_not_dated_ahead"}),
        (petition(answered_at=NOON + DAY, published_at=None, status=5), set()),
        (petition(was_not_nfc=True), {"text_was_nfc"}),
    ],
    "petition_step": [
        ({"status": 1, "occurred_at": NOON}, set()),
        ({"status": 1, "occurred_at": NOON, "child_key": None}, {"child_key_present"}),
        ({"status": 1, "occurred_at": NOON, "type_errors": ["status"]}, {"child_typed"}),
        ({"status": 1, "occurred_at": NOON, "source_key": "nowhere"}, {"orphan_child"}),
        ({"status": None, "occurred_at": NOON}, {"petition_step_status_mapped"}),
        ({"status": 9, "occurred_at": NOON}, {"petition_step_status_mapped"}),
        ({"status": 2, "occurred_at": None}, {"petition_step_dated"}),
    ],
    "rating": [
        (rating(), set()),
        (rating(source_key=None), {"source_key_present"}),
        (rating(type_errors=["rated_at"]), {"rating_typed"}),
        (rating(dossier_code=None), {"rating_names_dossier"}),
        (rating(dossier_code=None, dossier_key="10001"), set()),
        (rating(dossier_code="H17.05/261001/0001"), {"rating_dossier_code_well_formed", "rating_dossier_known"}),
        (rating(dossier_code="H17.05-261001-0002"), {"rating_dossier_known"}),
        (rating(satisfaction=None), {"satisfaction_mapped"}),
        (rating(satisfaction=0), {"satisfaction_mapped"}),
        (rating(rated_at=None), {"rating_dated"}),
        (rating(rated_at=NOON + 2 * DAY), {"rating_not_dated_ahead"}),
        (rating(agency_code="H26.05"), {"agency_known"}),
        (rating(was_not_nfc=True), {"text_was_nfc"}),
    ],
    "rating_mark": [
        ({"criterion": "1", "mark": 0}, set()),
        ({"criterion": "1", "mark": 2}, set()),
        ({"criterion": "1", "mark": None}, {"mark_in_range"}),
        ({"criterion": "1", "mark": 3}, {"mark_in_range"}),
        ({"criterion": "1", "mark": 1, "child_key": " "}, {"child_key_present"}),
        ({"criterion": "1", "mark": 1, "type_errors": ["mark"]}, {"child_typed"}),
        ({"criterion": "1", "mark": 1, "source_key": "nowhere"}, {"orphan_child"}),
    ],
}
#: The kinds that are looked at here.
CHOSEN = [kind for kind in KINDS.values() if kind.root.entity in CASES]


@pytest.fixture(scope="module")
def broken(shared: Engine) -> dict[tuple[str, int], set[str]]:
    """Rules broken by each staged row, by entity and row number."""
    with shared.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dossier.dossier "
                "(tenant, dossier_id, dossier_code, source_id, source_key, version, load_id, opened_load_id) "
                "VALUES ('H17', gen_random_uuid(), 'H17.05-261001-0001', 'h17_opencps', 'd', 1, 1, 1)"
            )
        )
    found: dict[tuple[str, int], set[str]] = {}
    for kind in CHOSEN:
        load_id = _staged(shared, kind.name)
        run_gate(shared, kind=kind, tenant=TENANT, source_id=SOURCE, load_id=load_id, now=NOON, home=PROJECT)
        for entity, row_no, rule_id in violations(shared, load_id):
            found.setdefault((entity, row_no), set()).add(rule_id)
    return found


def _staged(engine: Engine, kind: str) -> int:
    spec = KINDS[kind]
    with engine.begin() as connection:
        load_id = int(
            connection.execute(
                text(
                    "INSERT INTO ops.load "
                    "(tenant, source_id, kind, run_key, mode, contract_hash, opened_at, observed_at) "
                    "VALUES ('H17', :source, :kind, :kind, 'full', '', :noon, :noon) RETURNING load_id"
                ),
                {"source": SOURCE, "kind": kind, "noon": NOON},
            ).scalar_one()
        )
        for entity in spec.entity_names:
            rows = [row for row, _ in CASES[entity]]
            if entity == spec.root.entity:
                rows = [*({"source_key": f"case-{number}"} | row for number, row in enumerate(rows)), rows[0]]
                rows[-1] = {**rows[-1], "source_key": "good"}
            else:
                rows = [{"source_key": "good", "child_key": f"c{number}"} | row for number, row in enumerate(rows)]
            for number, row in enumerate(rows):
                values = COMMON | row | {"load_id": load_id, "row_no": number, "landing_row": number}
                names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
                connection.execute(text(f"INSERT INTO staging.{entity} ({names}) VALUES ({places})"), values)
        run(connection, of_kind(spec, "digest_rows"), {"tenant": TENANT, "load_id": load_id})
    return load_id


@pytest.mark.parametrize(
    ("entity", "number"), [(entity, number) for entity, cases in CASES.items() for number in range(len(cases))]
)
def test_a_row_breaks_exactly_the_rules_that_its_values_break(
    broken: dict[tuple[str, int], set[str]], entity: str, number: int
) -> None:
    assert broken.get((entity, number), set()) == CASES[entity][number][1]


def test_every_rule_has_a_row_that_breaks_it() -> None:
    rules = {
        (entity, rule.rule_id)
        for kind in CHOSEN
        for entity, suite in load_suites(PROJECT, kind).items()
        for rule in suite.rules
    }
    assert {(entity, rule) for entity, cases in CASES.items() for _, broken in cases for rule in broken} == rules


def test_no_rule_blocks_what_is_not_sent() -> None:
    assert not [
        rule for kind in CHOSEN for suite in load_suites(PROJECT, kind).values() for rule in suite.rules
        if rule.severity == "block"
    ]  # fmt: skip
