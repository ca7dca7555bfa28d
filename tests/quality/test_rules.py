"""Each rule on rows that keep it and rows that break it. All cases share one load: a row breaks no other rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.kinds.dossier import DOSSIER_KIND, Entity
from lienthong.quality.suites import load_suites
from lienthong.settings import PROJECT
from tests.quality.staged import NOON, document, dossier, fee, gate, open_load, stage, step, violations

DAY = timedelta(days=1)
NOT_RECEIVED: dict[str, Any] = {"dossier_code": None, "received_at": None, "due_at": None}
RESULT = {"role": "result", "has_file": False}

#: (changes of a good dossier, rules it then breaks)
DOSSIERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"source_key": None}, {"source_key_present"}),
    ({"source_key": " "}, {"source_key_present"}),
    ({"type_errors": []}, set()),
    ({"type_errors": ["due_at"]}, {"dossier_typed"}),
    ({"dossier_code": "000.00.06.H56-231027-0361"}, set()),
    ({"dossier_code": "H21.123-231027-0361"}, set()),
    ({"dossier_code": "H17.05/261001/0001"}, {"dossier_code_well_formed"}),
    ({"dossier_code": ""}, {"dossier_code_well_formed", "dossier_code_present_when_received"}),
    ({"dossier_code": None}, {"dossier_code_present_when_received"}),
    (NOT_RECEIVED | {"status": 1}, set()),
    (NOT_RECEIVED | {"status": 3}, set()),
    (NOT_RECEIVED | {"status": 7}, set()),
    ({"status": 7, "dossier_code": None}, {"dossier_code_present_when_received"}),
    ({"procedure_code": None}, {"procedure_known"}),
    ({"procedure_code": "9.999999"}, {"procedure_known"}),
    ({"procedure_code": "1.000003"}, {"procedure_known"}),
    ({"procedure_code": "1.000002"}, {"procedure_not_retired"}),
    ({"status": None}, {"status_mapped"}),
    ({"status": 0}, {"status_mapped"}),
    ({"status": 11}, {"status_mapped"}),
    ({"status": 10}, set()),
    ({"received_at": None, "due_at": None, "status": 9}, {"received_at_present"}),
    ({"received_at": None, "due_at": None, "status": 7}, set()),
    ({"agency_name": None}, {"agency_named"}),
    ({"agency_name": "  "}, {"agency_named"}),
    ({"procedure_name": None}, {"procedure_named"}),
    ({"procedure_name": ""}, {"procedure_named"}),
    ({"applicant_name": None}, {"applicant_named"}),
    ({"applicant_name": ""}, {"applicant_named"}),
    ({"submitted_at": NOON - 2 * DAY}, {"dates_in_order"}),
    ({"finished_at": NOON - 4 * DAY}, {"dates_in_order"}),
    ({"received_at": None, "due_at": None, "status": 1, "finished_at": NOON - 9 * DAY}, {"dates_in_order"}),
    ({"finished_at": NOON, "returned_at": NOON - DAY}, {"dates_in_order"}),
    ({"due_at": NOON - 4 * DAY}, {"dates_in_order"}),
    ({"finished_at": NOON - DAY, "returned_at": NOON - DAY, "due_at": NOON - 2 * DAY}, set()),
    ({"submitted_at": None}, set()),
    ({"applicant_id_number": "000000001"}, {"id_number_plausible"}),
    ({"applicant_id_number": "000000001", "subject_type": 2}, {"id_number_plausible"}),
    ({"applicant_id_number": "111111111"}, {"id_number_plausible"}),
    ({"applicant_id_number": "04819000123"}, {"id_number_plausible"}),
    ({"applicant_id_number": "B1234567"}, {"id_number_plausible"}),
    ({"applicant_id_number": "0401234567", "subject_type": 2}, set()),
    ({"applicant_id_number": "201234567"}, set()),
    ({"applicant_id_number": None}, set()),
    ({"applicant_id_number": ""}, set()),
    ({"was_not_nfc": True}, {"text_was_nfc"}),
    ({"was_not_nfc": None}, set()),
    ({"agency_code": None}, {"agency_known"}),
    ({"agency_code": "H17.99"}, {"agency_known"}),
    ({"agency_code": "H26.05"}, {"agency_known"}),
    ({"channel": None}, {"channel_known"}),
    ({"channel": 0}, {"channel_known"}),
    ({"channel": 3}, set()),
    ({"due_at": None}, {"due_at_present"}),
    ({"received_at": NOON + 2 * DAY, "due_at": NOON + 3 * DAY}, {"not_dated_ahead"}),
    ({"received_at": NOON + DAY, "due_at": NOON + 3 * DAY}, set()),
    ({"finished_at": NOON + 2 * DAY}, {"not_dated_ahead"}),
]

#: (status of a dossier, its document, rules the dossier then breaks)
RESULTS: list[tuple[int, dict[str, Any], set[str]]] = [
    (9, RESULT, {"result_has_file"}),
    (10, RESULT | {"has_file": None, "removed": None}, {"result_has_file"}),
    (9, RESULT | {"removed": True}, set()),
    (9, RESULT | {"has_file": True}, set()),
    (9, {"role": "component", "has_file": False}, set()),
    (4, RESULT, set()),
]

#: (entity, row, rules it then breaks); the dossier "good" is in the load, "believed" in the warehouse only
CHILDREN: list[tuple[Entity, dict[str, Any], set[str]]] = [
    (Entity.STEP, step("good", "1"), set()),
    (Entity.STEP, step("believed", "1"), set()),
    (Entity.STEP, step("nowhere", "1"), {"orphan_child"}),
    (Entity.STEP, step(None, "1"), {"orphan_child"}),
    (Entity.STEP, step("good", None), {"child_key_present"}),
    (Entity.STEP, step("good", " "), {"child_key_present"}),
    (Entity.STEP, step("good", "2", type_errors=["occurred_at"]), {"child_typed"}),
    (Entity.STEP, step("good", "3", status=None), {"step_status_mapped"}),
    (Entity.STEP, step("good", "4", status=11), {"step_status_mapped"}),
    (Entity.STEP, step("good", "5", occurred_at=None), {"step_dated"}),
    (Entity.DOCUMENT, document("good", "1"), set()),
    (Entity.DOCUMENT, document("nowhere", "1"), {"orphan_child"}),
    (Entity.DOCUMENT, document("good", ""), {"child_key_present"}),
    (Entity.DOCUMENT, document("good", "2", type_errors=["removed"]), {"child_typed"}),
    (Entity.FEE, fee("good", "1"), set()),
    (Entity.FEE, fee("good", "2", amount=0), set()),
    (Entity.FEE, fee("good", "3", amount=10_000_000_000), set()),
    (Entity.FEE, fee("good", "4", amount=None), {"fee_amount_plausible"}),
    (Entity.FEE, fee("good", "5", amount=-1), {"fee_amount_plausible"}),
    (Entity.FEE, fee("good", "6", amount=10_000_000_001), {"fee_amount_plausible"}),
    (Entity.FEE, fee("nowhere", "1"), {"orphan_child"}),
    (Entity.FEE, fee("good", None), {"child_key_present"}),
    (Entity.FEE, fee("good", "7", type_errors=["amount"]), {"child_typed"}),
]


@pytest.fixture(scope="module")
def broken(shared: Engine) -> dict[tuple[str, int], set[str]]:
    """Rules broken by each staged row, by entity and row number."""
    load_id = open_load(shared, "rules")
    dossiers = [dossier(f"case-{number}") | changes for number, (changes, _) in enumerate(DOSSIERS)]
    dossiers += [dossier(f"result-{number}", status=status) for number, (status, _, _) in enumerate(RESULTS)]
    children: dict[str, list[dict[str, Any]]] = {entity.value: [] for entity in Entity}
    for entity, row, _ in CHILDREN:
        children[entity.value].append(row)
    children["document"] += [
        document(f"result-{number}", "r") | changes for number, (_, changes, _) in enumerate(RESULTS)
    ]
    with shared.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version, record_hash, "
                "recipe, observed_at, load_id) VALUES ('H17', 'h17_opencps', 'believed', gen_random_uuid(), 1, '', 1, "
                "now(), 1), ('H17', 'another', 'nowhere', gen_random_uuid(), 1, '', 1, now(), 1)"
            )
        )
    stage(shared, load_id, **children | {"dossier": [*dossiers, dossier("good")]})
    gate(shared, load_id)
    found: dict[tuple[str, int], set[str]] = {}
    for entity, row_no, rule_id in violations(shared, load_id):
        found.setdefault((entity, row_no), set()).add(rule_id)
    return found


@pytest.mark.parametrize("number", range(len(DOSSIERS)), ids=lambda n: f"{n}-{DOSSIERS[n][0]}")
def test_a_dossier_breaks_exactly_the_rules_its_values_break(
    broken: dict[tuple[str, int], set[str]], number: int
) -> None:
    assert broken.get(("dossier", number), set()) == DOSSIERS[number][1]


@pytest.mark.parametrize("number", range(len(RESULTS)))
def test_a_finished_dossier_needs_a_file_for_its_result(broken: dict[tuple[str, int], set[str]], number: int) -> None:
    assert broken.get(("dossier", len(DOSSIERS) + number), set()) == RESULTS[number][2]


@pytest.mark.parametrize("number", range(len(CHILDREN)), ids=lambda n: f"{n}-{CHILDREN[n][0]}")
def test_a_child_breaks_exactly_the_rules_its_values_break(
    broken: dict[tuple[str, int], set[str]], number: int
) -> None:
    entity, _, expected = CHILDREN[number]
    row_no = sum(1 for other, _, _ in CHILDREN[:number] if other is entity)
    assert broken.get((entity.value, row_no), set()) == expected


def test_every_rule_of_the_suites_has_a_row_that_breaks_it() -> None:
    rules = {
        (entity, rule.rule_id) for entity, suite in load_suites(PROJECT, DOSSIER_KIND).items() for rule in suite.rules
    }
    shown = {(Entity.DOSSIER, rule) for _, broken in DOSSIERS for rule in broken}
    shown |= {(Entity.DOSSIER, rule) for _, _, broken in RESULTS for rule in broken}
    shown |= {(entity, rule) for entity, _, broken in CHILDREN for rule in broken}
    assert shown == rules
