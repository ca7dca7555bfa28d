"""A code that two dossiers claim goes to the one that is left, and which record speaks follows the contracts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.warehouse.ledger import GateBasis
from tests.warehouse.staged import NOON, dossier, load_rows, open_and_stage
from tests.warehouse.test_merge import rows_of, state_of

D = Entity.DOSSIER
CODE, FREED = "H17.05-261005-0001", "H17.05-261005-0099"
RULES = GateBasis("rules of today", 1)
HOLDER = dossier("1")
CLAIMANT = dossier("2", dossier_code=CODE, procedure_code="2.000815")


def held(warehouse: Engine) -> dict[str, str | None]:
    """Speaking record → code of its dossier."""
    return dict(rows_of(warehouse, "SELECT source_key, dossier_code FROM dossier.dossier"))


def disputed(warehouse: Engine) -> list[str]:
    query = "SELECT source_key FROM dossier.source_record WHERE blocked_reasons = '{dossier_code_collision}' ORDER BY 1"
    return [key for (key,) in rows_of(warehouse, query)]


def load(warehouse: Engine, run_key: str, *rows: dict[str, Any], **options: Any) -> dict[str, dict[str, int]]:
    return load_rows(warehouse, {D: rows}, run_key=run_key, judged=RULES, **options)


@pytest.fixture
def dispute(warehouse: Engine) -> Engine:
    load(warehouse, "dispute", HOLDER, CLAIMANT)
    assert (held(warehouse), disputed(warehouse)) == ({"1": CODE, "2": None}, ["2"])
    return warehouse


def test_a_code_that_its_holder_gives_up_goes_to_the_claimant_though_nobody_read_it_again(dispute: Engine) -> None:
    load(dispute, "given up", dossier("1", dossier_code=FREED))
    assert (held(dispute), disputed(dispute)) == ({"1": FREED, "2": CODE}, [])
    assert rows_of(
        dispute,
        "SELECT d.source_key, h.dossier_code FROM dossier.dossier_code_history AS h "
        "INNER JOIN dossier.dossier AS d USING (tenant, dossier_id) ORDER BY h.load_id, 1",
    ) == [("1", CODE), ("1", FREED), ("2", CODE)]
    assert rows_of(dispute, "SELECT version, load_id FROM dossier.dossier WHERE source_key = '2'") == [(2, 2)]
    before = state_of(dispute)
    again = open_and_stage(dispute, {D: [CLAIMANT]}, run_key="read again", judged=RULES)
    assert again.set_aside == {"dossier": 1, "step": 0, "document": 0, "fee": 0}, "nothing is in doubt any more"
    load(dispute, "nothing new", CLAIMANT)
    assert state_of(dispute) == before


def test_a_code_whose_holder_was_deleted_goes_to_the_claimant_with_a_full_load(dispute: Engine) -> None:
    load(dispute, "incremental", CLAIMANT)
    assert held(dispute)["2"] is None, "who was not read may still be there"
    load(dispute, "full", CLAIMANT, mode=LoadMode.FULL)
    assert (held(dispute), disputed(dispute)) == ({"1": None, "2": CODE}, ["1"])
    assert rows_of(dispute, "SELECT source_key FROM dossier.source_record ORDER BY 1") == [("1",), ("2",)]


def test_a_holder_that_comes_back_is_the_one_in_dispute_until_the_code_is_free_again(dispute: Engine) -> None:
    load(dispute, "full", CLAIMANT, mode=LoadMode.FULL)
    load(dispute, "back", HOLDER)
    assert (held(dispute), disputed(dispute)) == ({"1": None, "2": CODE}, ["1"])
    load(dispute, "given up", CLAIMANT | {"dossier_code": FREED})
    assert (held(dispute), disputed(dispute)) == ({"1": CODE, "2": FREED}, [])


def test_a_code_whose_holder_is_marked_as_removed_goes_to_the_claimant(dispute: Engine) -> None:
    gone = dossier("1", status=None, status_raw="18")
    load(dispute, "unknown word", gone)
    assert held(dispute)["2"] is None
    load(dispute, "removed", gone, removed=("18",))
    assert (held(dispute), disputed(dispute)) == ({"1": None, "2": CODE}, ["1"])


def test_a_code_whose_holder_is_in_the_bin_of_opencps_goes_to_the_claimant(dispute: Engine) -> None:
    load(dispute, "binned", dossier("1", status=None, status_raw="done (originality -1)"), removed=("originality -1",))
    assert (held(dispute), disputed(dispute)) == ({"1": None, "2": CODE}, ["1"])


def test_of_several_claimants_the_oldest_gets_the_code(dispute: Engine) -> None:
    load(dispute, "third", dossier("3", dossier_code=CODE, procedure_code="3.000001"))
    load(dispute, "given up", dossier("1", dossier_code=FREED))
    assert (held(dispute), disputed(dispute)) == ({"1": FREED, "2": CODE, "3": None}, ["3"])


def test_a_claimant_that_is_gone_itself_gets_nothing(dispute: Engine) -> None:
    load(dispute, "full", dossier("1", dossier_code=FREED), mode=LoadMode.FULL)
    assert (held(dispute), disputed(dispute)) == ({"1": FREED, "2": None}, ["2"])


def test_a_holder_that_another_system_still_has_keeps_its_code(dispute: Engine) -> None:
    load(dispute, "other system", dossier("77", dossier_code=CODE), source_id="other", precedence=20)
    load(dispute, "full", CLAIMANT, mode=LoadMode.FULL)
    assert held(dispute) == {"1": CODE, "2": None}


def test_a_dispute_of_before_heals_with_the_next_load_of_whatever_source(dispute: Engine) -> None:
    with dispute.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier.dossier SET dossier_code = NULL WHERE source_key = '1'")
        connection.exec_driver_sql(f"UPDATE dossier.source_record SET dossier_code = '{FREED}' WHERE source_key = '1'")
    load(dispute, "other", source_id="other", precedence=20)
    assert held(dispute)["2"] == CODE


def both(warehouse: Engine, *keys: str) -> None:
    """Two systems that hold the same dossiers; the ministry's (20) speaks after the province's (10)."""
    load(warehouse, "province", *(dossier(key) for key in keys), source_id="province", precedence=10)
    theirs = (dossier(f"7{key}", dossier_code=dossier(key)["dossier_code"]) for key in keys)
    load(warehouse, "ministry", *theirs, dossier("9"), source_id="ministry", precedence=20)


def test_a_changed_precedence_lets_another_record_speak_though_no_dossier_changed(warehouse: Engine) -> None:
    both(warehouse, "1", "2")
    spoken = "SELECT source_id, source_key, version, dossier_code FROM dossier.dossier ORDER BY 2"
    first = [("province", "1", 1, CODE), ("province", "2", 1, "H17.05-261005-0002")]
    third = ("ministry", "9", 1, "H17.05-261005-0009")
    assert rows_of(warehouse, spoken) == [*first, third]
    load(warehouse, "nothing changed", source_id="ministry", precedence=20)
    assert rows_of(warehouse, spoken) == [*first, third]
    load(warehouse, "promoted", source_id="ministry", precedence=5)
    turned = [("ministry", "71", 2, CODE), ("ministry", "72", 2, "H17.05-261005-0002")]
    assert rows_of(warehouse, spoken) == [*turned, third]
    [(promoted,)] = rows_of(warehouse, "SELECT load_id FROM ops.load WHERE run_key = 'promoted'")
    assert rows_of(warehouse, "SELECT DISTINCT load_id FROM dossier.dossier WHERE version = 2") == [(promoted,)]
    load(warehouse, "again", source_id="province", precedence=10)
    assert rows_of(warehouse, spoken) == [*turned, third]


def test_a_precedence_that_changed_takes_effect_with_the_next_load_of_any_source(warehouse: Engine) -> None:
    both(warehouse, "1")
    open_and_stage(warehouse, {}, run_key="opened, and never merged", source_id="province", precedence=30)
    load(warehouse, "the other's", source_id="ministry", precedence=20)
    assert held(warehouse) == {"71": CODE, "9": "H17.05-261005-0009"}


def test_speakers_may_exchange_their_codes_and_one_that_another_dossier_holds_is_disputed(warehouse: Engine) -> None:
    both(warehouse, "1", "2", "3")
    codes = {number: f"H17.05-261005-000{number}" for number in (1, 2, 3)}
    crossed = [dossier("71", dossier_code=codes[2]), dossier("72", dossier_code=codes[1])]
    renumbered = dossier("73", dossier_code="H17.05-261005-0009")
    load(warehouse, "crossed", *crossed, renumbered, source_id="ministry", precedence=20)
    assert held(warehouse)["1"] == codes[1], "the province still speaks"
    with warehouse.begin() as connection:  # their codes were free when the ministry gave them
        connection.exec_driver_sql(
            "UPDATE dossier.source_record SET blocked_reasons = '{}' WHERE source_id = 'ministry'"
        )
    load(warehouse, "promoted", source_id="ministry", precedence=5)
    assert held(warehouse) == {"71": codes[2], "72": codes[1], "73": None, "9": "H17.05-261005-0009"}
    assert disputed(warehouse) == ["73"]


def test_one_source_alone_has_nobody_to_speak_before(warehouse: Engine) -> None:
    load(warehouse, "a", HOLDER, dossier("3", dossier_code=CODE, source_modified_at=NOON), precedence=10)
    before = state_of(warehouse)
    load(warehouse, "b", precedence=90)
    assert state_of(warehouse) == before
