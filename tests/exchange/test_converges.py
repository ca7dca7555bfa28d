"""Faults on, then faults off: whatever the network did, both sides end up saying the same, and no step stands twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from lienthong.connections import Connection
from lienthong.exchange.client import PortalClient
from lienthong.model.errors import LienThongError
from simulator.network import Fault, FaultyNetwork
from simulator.portal import PortalSwitches
from tests.exchange.world import NOW, Province, code, connection_to, settings_with

DOSSIERS = 24
WRITE = "DongBoHoSoMC"
#: Late and doubled requests are ordered for dossiers only: a step doubled by the network is doubled whatever we do.
SHARES = {
    Fault.CUT_BEFORE: 0.04, Fault.CUT_AFTER: 0.06, Fault.CUT_MIDDLE: 0.02, Fault.SLOW: 0.02, Fault.DOUBLED_ANSWER: 0.04,
    Fault.GARBLED_BYTES: 0.02, Fault.GARBLED_NUL: 0.02, Fault.GARBLED_TRUNCATED: 0.02, Fault.BUSY_503: 0.02,
}  # fmt: skip


@contextmanager
def through(province: Province, network: FaultyNetwork) -> Iterator[Any]:
    """Clients whose calls pass the faulty network."""
    parts = urlsplit(network.url)

    def make(connection: Connection, settings: Any, **named: Any) -> PortalClient:
        return PortalClient(connection_to(province.portal, host=parts.hostname, port=parts.port), settings, **named)

    yield make


def push(province: Province, make: Any) -> None:
    """One push; a portal that is away for a moment ends it, the next one goes on."""
    province.derive()
    with suppress(LienThongError):
        province.drain(make)
    province.later()


@pytest.mark.parametrize(("way_out", "batch_size"), [("people", 1), ("people", 7), ("look_up", 7), ("ignore", 1)])
def test_after_a_faulty_network_both_sides_say_the_same(province: Province, way_out: str, batch_size: int) -> None:
    province.settings = settings_with(
        batch_size=batch_size,
        step_chunk=3,
        read_timeout_s=0.3,
        total_timeout_s=0.4,
        retry_after_max_s=0,
        lookup_steps="DanhSachTienTrinh" if way_out == "look_up" else None,
        steps_sent_twice="ignore" if way_out == "ignore" else "double",
    )
    province.portal.switches = PortalSwitches(
        lookup_fields="full", lookup_shows_steps=way_out == "look_up", progress_dedup=way_out == "ignore"
    )
    with (
        FaultyNetwork(province.portal.url, seed=batch_size, shares=SHARES, hold_s=0.5, retry_after_s=0) as network,
        through(province, network) as make,
    ):
        for change in range(3):
            for number in range(1, DOSSIERS + 1):
                province.believe(number, steps=2 + 2 * change, status=4 + change, due_at=NOW)
            network.plan.order(WRITE, Fault.LATE_REQUEST, 2)
            network.plan.order(WRITE, Fault.DOUBLED_REQUEST, 2)
            push(province, make)
            push(province, make)
        network.plan.turn(on=False)
        for _ in range(4):
            if way_out == "people":
                province.settle_by_truth()
            push(province, make)
        assert {passage.fault for passage in network.log} > {Fault.CUT_AFTER, Fault.LATE_REQUEST, Fault.DOUBLED_ANSWER}

    assert Counter(row[0] for row in states(province)) == {"acknowledged": DOSSIERS}
    for number in range(1, DOSSIERS + 1):
        held = province.portal.store.dossier(code(number))
        assert held is not None
        assert held.body["TrangThaiHoSo"] == "6"
        told = [step.body["NoiDungXuLy"] for step in province.portal.store.steps(code(number))]
        assert sorted(told) == sorted(f"Đã kiểm tra giấy tờ của bà Ngân lần {step}" for step in range(6))
        if way_out != "people":  # whoever settles by hand sends again after later steps
            assert told == sorted(told)
    assert province.push().calls == 0


def states(province: Province) -> list[Any]:
    with province.engine.begin() as connection:
        return list(connection.exec_driver_sql("SELECT state FROM exchange.delivery"))
