"""Nothing about a citizen stays behind in the exchange's own tables, whatever the portal says about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.payload import Wire
from lienthong.exchange.transport import Transfer
from simulator.portal import FaultKind, PortalSwitches
from tests.exchange.world import EMAIL, ID_NUMBER, NAME, NOTE, OFFICER, PERSONAL, TENANT, Province


def everything(province: Province) -> str:
    """All rows of the schema exchange as text."""
    with province.engine.begin() as connection:
        tables = connection.exec_driver_sql(
            "SELECT c.oid::regclass::text FROM pg_class AS c"
            " WHERE c.relnamespace = 'exchange'::regnamespace AND c.relkind IN ('p', 'r') AND NOT c.relispartition"
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
    assert kept.count(TENANT) > 10, "dossiers, steps and calls are looked at"
    assert "H17.05-" in kept
    for text in (*PERSONAL, *NAME.split()[-2:]):
        assert text.casefold() not in kept.casefold()
        assert text.casefold() not in caplog.text.casefold()


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("page", [False, True], ids=["message", "page"])
def test_a_failure_that_quotes_a_step_leaves_nothing_of_it(province: Province, status: int, page: bool) -> None:
    sent: list[int] = []

    class Quotes(PortalClient):
        """Hears a failure that quotes the officer and the note of the step."""

        def send_steps(self, payloads: Sequence[Wire]) -> Answer:
            sent.append(sum(OFFICER in str(payload) and NOTE in str(payload) for payload in payloads))
            return super().send_steps(payloads)

        def _transfer(self, path: str, body: dict[str, object]) -> Transfer:
            if body.get("service") != "CapNhatTienDoHoSoMC":
                return super()._transfer(path, body)
            words = f"Lỗi hệ thống khi ghi: {OFFICER}, {NOTE.lower()}"
            text = f"<html>{words}</html>" if page else f'{{"error_code": "-1", "message": "{words}"}}'
            return Transfer(status, text, None)

    province.believe(1, steps=1)
    province.derive()
    province.drain(Quotes)
    assert sent == [1], "names were on their way when the portal failed"
    kept = everything(province)
    assert "CapNhatTienDoHoSoMC" in kept
    for text in PERSONAL:
        assert text.casefold() not in kept.casefold()
