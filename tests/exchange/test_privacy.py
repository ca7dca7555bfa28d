"""Nothing about a citizen stays behind in the exchange's own tables, whatever the portal says about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.payload import Wire
from lienthong.exchange.replies import Call, judge, read_reply
from lienthong.exchange.transport import Transfer
from simulator.portal import FaultKind, PortalSwitches
from tests.exchange.world import EMAIL, ID_NUMBER, NAME, NOTE, OFFICER, PERSONAL, Province


def everything(province: Province) -> str:
    """All rows of the schema exchange as text."""
    with province.engine.begin() as connection:
        tables = connection.exec_driver_sql(
            "SELECT c.oid::regclass::text FROM pg_class AS c"
            " WHERE c.relnamespace = 'exchange'::regnamespace AND c.relkind = 'p'"
        ).scalars()
        return "\n".join(
            str(row)
            for table in list(tables)
            for row in connection.exec_driver_sql(f"SELECT t::text FROM {table} AS t")
        )


class Gossip(PortalClient):
    """Hears a refusal that quotes the applicant in every way a portal could."""

    def _transfer(self, path: str, body: dict[str, object]) -> Transfer:
        if path.endswith("/g") and body["service"] == "DongBoHoSoMC":
            words = f"Công dân {NAME} ({ID_NUMBER}, {EMAIL.upper()}) không hợp lệ: {NAME.lower()}"
            return Transfer(200, f'{{"error_code": "-9", "message": "{words}"}}', None)
        return super()._transfer(path, body)


def test_no_personal_value_is_kept_after_a_push_with_every_outcome(
    province: Province, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    province.portal.switches = PortalSwitches(names_bad_record=True)
    for number in range(1, 5):
        province.believe(number, steps=2)
    province.push()
    province.believe(1, status=9)
    province.portal.fail_next("DongBoHoSoMC", FaultKind.DROP_AFTER)
    province.push()
    province.believe(5)
    province.derive()
    assert province.drain(Gossip).rejected == 1
    kept = everything(province)
    assert "không hợp lệ" in kept
    for text in (*PERSONAL, *NAME.split()[-2:]):
        assert text.casefold() not in kept.casefold()
        assert text.casefold() not in caplog.text.casefold()


def test_an_error_of_a_stopped_drain_names_nobody(province: Province) -> None:
    class Stops(PortalClient):
        def send_steps(self, payloads: Sequence[Wire]) -> Answer:
            assert any(OFFICER in str(payload) for payload in payloads)
            reply = read_reply(f"<html>{NOTE}</html>")
            assert judge(Call.PROGRESS, 200, reply, None, self.settings).value == "unknown"
            return super().send_steps(payloads)

    province.believe(1, steps=1)
    province.derive()
    province.portal.fail_next("CapNhatTienDoHoSoMC", FaultKind.HTTP_500)
    province.drain(Stops)
    assert OFFICER not in everything(province)
