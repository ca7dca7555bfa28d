"""Tokens, and the questions after the list (papers, fees): a passing fault is sat out, a lasting one is one clear
error, and a next try asks for no more than what is lacking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from lienthong.landing import LandedBatch
from lienthong.model.errors import NotReadyError, SourceAccessError, SourceAnswerError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract_parts import DailyWindow
from lienthong.sources.systems.igate.client import IgateClient
from lienthong.sources.systems.igate.mapping import FEE, PAPER, SET_ASIDE
from simulator.igate import FaultKind, IgateSwitches
from tests.sources.igate import Gateway, contract_of, landed, small_gateway, versions

__all__ = ["small_gateway"]  # a fixture

QUESTIONS = ["detail", "fees"]
#: Words of the simulator's error bodies: no message may quote an answer.
QUOTED = ("Hệ thống", "Bảo trì", "Lỗi", "<html", "Internal Server Error", "invalid_token")


@pytest.fixture
def whole(gateway: Gateway) -> Gateway:
    """An iGate that is read with papers and fees."""
    gateway.contract = contract_of(entities=(Entity.DOSSIER, Entity.STEP, Entity.DOCUMENT, Entity.FEE))
    return gateway


class Halfway:
    """A progress that does something once, when the first papers and fees have been written down."""

    def __init__(self, gateway: Gateway, act: Callable[[], object]) -> None:
        self._gateway, self._act = gateway, act
        #: Dossiers whose papers had been written down by then.
        self.written_down = 0

    def __call__(self, table: str, rows: int) -> None:
        if table == PAPER and not self.written_down:
            self.written_down = calls(self._gateway, "detail", 200)
            self._act()


def calls(gateway: Gateway, endpoint: str, status: int | None = None) -> int:
    """How often an endpoint was asked, or answered so."""
    met = [call for call in gateway.server.igate.calls if call.endpoint == endpoint]
    return len([call for call in met if status is None or call.status == status])


def children(batch: LandedBatch) -> dict[str, list[tuple[str, str]]]:
    """Owner and key of every landed paper and fee, in order."""
    return {table: sorted((row["dossierId"], row["key"]) for row in landed(batch, table)) for table in (PAPER, FEE)}


def assert_whole(gateway: Gateway, batch: LandedBatch) -> None:
    """All dossiers, papers and fees are there once: as in a load without any trouble."""
    assert versions(batch) == gateway.there()
    assert landed(batch, SET_ASIDE) == []
    gateway.marks = {}
    quiet = children(gateway.load())
    assert quiet[PAPER]
    assert quiet[FEE]
    assert children(batch) == quiet


def assert_next_try_goes_on(gateway: Gateway, halfway: Halfway) -> None:
    """The list is not asked for again, and of the papers only those that had not been written down."""
    assert 0 < halfway.written_down < len(gateway.there())
    assert not [name for name in gateway.files() if "manifest" in name]
    assert gateway.marks == {}
    listed, asked = calls(gateway, "search"), calls(gateway, "detail")
    batch = gateway.load(again=True)
    assert calls(gateway, "search") == listed
    assert calls(gateway, "detail") - asked == len(gateway.there()) - halfway.written_down
    assert_whole(gateway, batch)


def heal(gateway: Gateway) -> None:
    gateway.server.igate._faults.clear()


@pytest.mark.parametrize("endpoint", QUESTIONS)
def test_a_token_refused_once_while_papers_or_fees_are_read_is_renewed(whole: Gateway, endpoint: str) -> None:
    order = Halfway(whole, lambda: whole.server.fail_next(endpoint, FaultKind.REFUSE_TOKEN, 1))
    batch = whole.load(progress=order)
    assert calls(whole, endpoint, 401) == 1
    assert calls(whole, "token") == 2
    assert calls(whole, "detail", 200) == len(whole.there())
    assert_whole(whole, batch)


@pytest.mark.parametrize("endpoint", QUESTIONS)
def test_a_token_refused_for_good_while_papers_or_fees_are_read_is_told_once_and_the_next_try_goes_on(
    whole: Gateway, endpoint: str
) -> None:
    order = Halfway(whole, lambda: whole.server.fail_next(endpoint, FaultKind.REFUSE_TOKEN, 1_000))
    with pytest.raises(SourceAccessError, match="right after a log-in") as caught:
        whole.load(progress=order)
    message = str(caught.value)
    assert "source igate_h21, load 1, key src_igate_h21" in message
    assert "HTTP 401" in message
    assert "Next: " in message
    assert not [word for word in (*QUOTED, whole.connection.password or "?") if word in message]
    assert calls(whole, endpoint, 401) == 2, "the old token and a new one, no more"
    heal(whole)
    assert_next_try_goes_on(whole, order)


def order_of(gateway: Gateway, endpoint: str, kind: FaultKind, times: int) -> Halfway:
    def act() -> None:
        if endpoint == "token":  # it is asked for only when the one at hand is refused
            gateway.server.igate.refuse_tokens()
        gateway.server.fail_next(endpoint, kind, times)

    return Halfway(gateway, act)


@pytest.mark.parametrize("kind", [FaultKind.HTML_PAGE, FaultKind.ERROR_BODY])
@pytest.mark.parametrize("endpoint", ["token", *QUESTIONS])
def test_a_page_or_an_error_with_status_200_is_sat_out_there_as_well(
    whole: Gateway, endpoint: str, kind: FaultKind
) -> None:
    before = calls(whole, endpoint)
    batch = whole.load(progress=order_of(whole, endpoint, kind, 2))
    assert calls(whole, endpoint) >= before + 3
    assert not whole.server.igate._faults[endpoint], "both of them were met"
    assert_whole(whole, batch)


@pytest.mark.parametrize("kind", [FaultKind.HTML_PAGE, FaultKind.ERROR_BODY])
@pytest.mark.parametrize("endpoint", ["token", *QUESTIONS])
def test_a_page_or_an_error_with_status_200_that_lasts_is_one_clear_error_there_as_well(
    whole: Gateway, endpoint: str, kind: FaultKind
) -> None:
    order = order_of(whole, endpoint, kind, 1_000)
    with pytest.raises(SourceAnswerError) as caught:
        whole.load(progress=order)
    message = str(caught.value)
    assert f"source igate_h21, load 1, key {'fees from dossier' if endpoint == 'fees' else 'dossier'} " in message
    assert "HTTP 200" in message
    assert ("HTML page" in message) is (kind is FaultKind.HTML_PAGE)
    assert "3 tries" in message
    assert "Next: " in message
    assert ("log-in" in message) is (endpoint == "token")
    assert not [word for word in (*QUOTED, whole.connection.password or "?") if word in message]
    assert len(whole.server.igate._faults[endpoint]) == 1_000 - 3
    heal(whole)
    assert_next_try_goes_on(whole, order)


def test_reading_hours_hold_for_papers_and_fees_as_well_and_a_later_try_goes_on(whole: Gateway) -> None:
    evening = datetime(2026, 11, 1, 22, tzinfo=whole.contract.zone)
    hours = DailyWindow(evening.time(), (evening + timedelta(hours=2)).time())
    whole.contract = whole.contract.model_copy(update={"read": whole.contract.read.model_copy(update={"hours": hours})})
    clock = [evening]
    order = Halfway(whole, lambda: clock.append(evening + timedelta(hours=3)))
    with pytest.raises(NotReadyError, match="22:00 to 00:00") as caught:
        whole.load(progress=order, now=lambda: clock[-1])
    assert "source igate_h21, load 1" in str(caught.value)
    assert calls(whole, "detail") == order.written_down, "nothing is asked for when the hours are over"
    whole.contract = whole.contract.model_copy(update={"read": whole.contract.read.model_copy(update={"hours": None})})
    assert_next_try_goes_on(whole, order)


@pytest.mark.parametrize(("life_s", "good_for_s"), [(300, 270), (40, 36), (5, 4)])
def test_a_token_is_kept_while_it_is_good_and_renewed_before_it_expires(
    gateway: Gateway, life_s: int, good_for_s: int
) -> None:
    """The server's clock and ours go together; by the server's, the first token is worth nothing at the end."""
    gateway.server.switches = IgateSwitches(token_ttl_s=life_s)
    ours = [0.0]

    def pass_until(moment: float) -> None:
        gateway.server.igate.pass_time(moment - ours[0])
        ours[0] = moment

    with IgateClient(gateway.contract, gateway.connection, monotonic=lambda: ours[0]) as client:
        client.search(0, 10)
        pass_until(good_for_s - 0.5)
        client.search(1, 10)
        assert calls(gateway, "token") == 1
        pass_until(good_for_s + 0.1)
        client.search(2, 10)
        assert calls(gateway, "token") == 2
        pass_until(life_s + 0.1)
        client.search(3, 10)
    assert calls(gateway, "token") == 2
    assert calls(gateway, "search", 401) == 0
    assert calls(gateway, "search", 200) == 4
