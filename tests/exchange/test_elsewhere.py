"""What a ministry sends itself: never two senders, whichever system was read first and whoever speaks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lienthong.exchange.elsewhere import EXPECTED_ELSEWHERE, SENT_ELSEWHERE
from lienthong.exchange.senders import open_senders
from lienthong.model.codes import SourceMode
from tests.exchange.world import NOW, SOURCE, TENANT, Province, code

MINISTRY, PROCEDURE = "bgtvt_h17", "1.013259"


@pytest.fixture(autouse=True)
def listed(province: Province) -> None:
    """The catalogue lists the ministry's procedure too."""
    with province.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO registry.procedure (procedure_code, name, field_code, field_name, active, vanished,"
            " returns_paper, has_fee, detail_hash, revision) VALUES (%s, 'Cấp giấy phép vận chuyển', 'G17-DB01',"
            " 'Đường bộ', true, false, true, false, '', 1)",
            (PROCEDURE,),
        )


@pytest.fixture
def shared(province: Province) -> Province:
    """A province in which a ministry sends one procedure."""
    province.modes = {SOURCE: SourceMode.OWN, MINISTRY: SourceMode.OBSERVE}
    province.covers = {PROCEDURE: MINISTRY}
    return province


def test_the_province_never_sends_a_ministrys_dossier_even_before_the_ministry_was_read(shared: Province) -> None:
    ours, theirs = shared.believe(1), shared.believe(2, procedure_code=PROCEDURE, steps=2)
    shared.push()
    assert shared.state(ours) == "acknowledged"
    row = shared.delivery(theirs)
    assert (row.state, row.mode, row.reasons, row.wanted_hash) == ("waiting", "observe", [EXPECTED_ELSEWHERE], None)
    assert shared.portal.store.dossier(code(2)) is None
    assert shared.step_states(theirs) == []


def test_a_dossier_that_the_ministry_shows_says_so(shared: Province) -> None:
    dossier = shared.believe(1, procedure_code=PROCEDURE, source_id=MINISTRY)
    assert shared.push().calls == 0
    assert shared.delivery(dossier).reasons == [SENT_ELSEWHERE]


def test_what_is_owed_is_not_sent_once_a_ministry_covers_its_procedure(province: Province) -> None:
    dossier = province.believe(1, procedure_code=PROCEDURE)
    province.derive()
    assert province.state(dossier) == "owed"
    province.modes[MINISTRY] = SourceMode.OBSERVE
    province.covers = {PROCEDURE: MINISTRY}
    assert province.push().calls == 0
    assert province.state(dossier) == "waiting"


def test_a_dossier_leased_before_is_not_sent_either(province: Province) -> None:
    """The modes are read again when a payload is made: between lease and call a contract may have come."""
    province.believe(1, procedure_code=PROCEDURE)
    province.derive()
    with province.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE exchange.derive_state SET modes = modes || jsonb_build_object('procedure:' || %s, %s)",
            (PROCEDURE, MINISTRY),
        )
    assert province.drain().calls == 0
    assert province.portal.store.dossier(code(1)) is None


def test_a_procedure_that_is_no_longer_the_ministrys_is_sent_again(shared: Province) -> None:
    dossier = shared.believe(1, procedure_code=PROCEDURE)
    shared.push()
    shared.covers = {}
    shared.push()
    assert shared.state(dossier) == "acknowledged"


def test_dossiers_of_a_ministry_are_no_undecided_history(shared: Province) -> None:
    for number in range(1, 4):
        shared.believe(number, procedure_code=PROCEDURE, received_at=NOW - timedelta(days=900))
    with shared.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM exchange.sender")
    settings = shared.settings.model_copy(update={"history_most": 2})
    owns = {SOURCE: False}
    [refused] = open_senders(shared.engine, TENANT, owns, settings, NOW)
    assert refused.dossiers == 3
    assert open_senders(shared.engine, TENANT, owns, settings, NOW, {PROCEDURE}) == []
