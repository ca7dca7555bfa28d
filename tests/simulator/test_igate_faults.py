"""What an iGate can do to its readers: every fault and every switch, over HTTP."""

from __future__ import annotations

import json

import httpx
import pytest

from simulator.igate import FaultKind, IgateServer, IgateSwitches
from tests.simulator.igate_reader import Reader


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        (FaultKind.HTML_PAGE, 200, "text/html"),
        (FaultKind.ERROR_BODY, 200, "application/json"),
        (FaultKind.HTTP_500, 500, "application/json"),
        (FaultKind.HTTP_502, 502, "text/html"),
        (FaultKind.HTTP_503, 503, "application/json"),
        (FaultKind.HTTP_429, 429, "application/json"),
    ],
)
@pytest.mark.parametrize("endpoint", ["search", "detail", "fees", "token"])
def test_a_fault_strikes_its_endpoint_once(
    gialai: IgateServer, reader: Reader, endpoint: str, kind: FaultKind, status: int, content: str
) -> None:
    one = reader.ids(0, 1)[0]
    calls = {
        "search": lambda: reader.search(),
        "detail": lambda: reader.get(f"/pa/dossier/{one}/--online"),
        "fees": lambda: reader.get("/pa/dossier-fee/--by-dossiers", dossier_ids=one),
        "token": lambda: reader.log_in(),
    }
    gialai.fail_next(endpoint, kind)
    answer = calls[endpoint]()
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(content)
    if kind is FaultKind.ERROR_BODY:
        assert answer.json()["status"] == 500
        assert "content" not in answer.json()
    if status in (503, 429):
        assert answer.headers["Retry-After"] == "1"
    again = calls[endpoint]()
    assert again.status_code == 200
    assert again.json()


def test_a_star_strikes_whatever_comes_next(gialai: IgateServer, reader: Reader) -> None:
    gialai.fail_next("*", FaultKind.HTTP_500, times=2)
    assert [reader.search().status_code for _ in range(3)] == [500, 500, 200]


def test_a_truncated_answer_is_no_json(gialai: IgateServer, reader: Reader) -> None:
    gialai.fail_next("search", FaultKind.TRUNCATED_JSON)
    answer = reader.search()
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_dropped_connection_ends_in_the_middle(gialai: IgateServer, reader: Reader) -> None:
    gialai.fail_next("search", FaultKind.DROP)
    with pytest.raises(httpx.RemoteProtocolError):
        reader.search()


def test_a_slow_answer_is_right_but_late(gialai: IgateServer, reader: Reader) -> None:
    expected = reader.search().json()
    gialai.switches = IgateSwitches(slow_s=1.0)
    gialai.fail_next("search", FaultKind.SLOW, times=2)
    assert reader.search().json() == expected
    reader.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        reader.search()


def test_a_fresh_token_can_be_refused_half_way(gialai: IgateServer, reader: Reader) -> None:
    gialai.switches = IgateSwitches(refuse_after_pages=2)
    assert [reader.search(page=number).status_code for number in range(4)] == [200, 200, 401, 401]
    reader.token = reader.log_in().json()["access_token"]
    assert [reader.search(page=number).status_code for number in range(2, 8)] == [200] * 6


def test_tokens_can_be_refused_for_good(gialai: IgateServer, reader: Reader) -> None:
    gialai.switches = IgateSwitches(refuse_after_pages=2, refuse_for_good=True)
    assert [reader.search(page=number).status_code for number in range(3)] == [200, 200, 401]
    reader.token = reader.log_in().json()["access_token"]
    assert reader.search(page=2).status_code == 401
    gialai.switches = IgateSwitches()
    assert reader.search(page=2).status_code == 200


def test_one_call_can_be_refused_its_token(gialai: IgateServer, reader: Reader) -> None:
    gialai.fail_next("detail", FaultKind.REFUSE_TOKEN)
    one = reader.ids(0, 1)[0]
    assert reader.get(f"/pa/dossier/{one}/--online").status_code == 401
    reader.token = reader.log_in().json()["access_token"]
    assert reader.get(f"/pa/dossier/{one}/--online").status_code == 200


def test_a_page_can_repeat_the_one_before(gialai: IgateServer, reader: Reader) -> None:
    first = reader.ids(0, 20)
    gialai.fail_next("search", FaultKind.PAGE_REPEAT)
    page = reader.page(1, 20)
    assert page["number"] == 1
    assert [item["id"] for item in page["content"]] == first
    assert set(reader.ids(1, 20)).isdisjoint(first)


def test_a_page_can_skip_rows(gialai: IgateServer, reader: Reader) -> None:
    second = reader.ids(1, 20)
    gialai.switches = IgateSwitches(page_skip_rows=3)
    gialai.fail_next("search", FaultKind.PAGE_SKIP)
    page = reader.page(1, 20)
    assert (page["number"], page["numberOfElements"]) == (1, 20)
    assert [item["id"] for item in page["content"]][:17] == second[3:]


def test_faults_and_switches_can_be_ordered_over_http(gialai: IgateServer, reader: Reader) -> None:
    order = {"endpoint": "search", "kind": "http_503", "times": 1}
    assert reader.http.post("/_sim/fail_next", json=order).json() == {"ordered": True}
    assert reader.search().status_code == 503
    put = reader.http.put("/_sim/switches", json={"max_page_size": 7})
    assert put.json()["max_page_size"] == 7
    assert len(reader.page(0)["content"]) == 7
    reader.http.post("/_sim/pass_time", json={"seconds": 400})
    assert reader.search().status_code == 401
    reader.http.post("/_sim/reset")
    assert gialai.switches == IgateSwitches()


@pytest.mark.parametrize(
    "wrong", [{"no_such": 1}, {"max_page_size": "7"}, {"refuse_for_good": 1}, {"shift_every": True}]
)
def test_a_switch_that_does_not_exist_is_refused(reader: Reader, wrong: dict[str, object]) -> None:
    assert reader.http.put("/_sim/switches", json=wrong).status_code == 400


def test_an_unknown_fault_is_refused(reader: Reader) -> None:
    assert reader.http.post("/_sim/fail_next", json={"endpoint": "search", "kind": "boredom"}).status_code == 400


def test_calls_are_counted_without_their_content(gialai: IgateServer, reader: Reader) -> None:
    code = reader.page(0, 1)["content"][0]["code"]
    reader.page(3, 10, code=code)
    seen = reader.http.get("/_sim/calls").json()
    # The server is shared: a call that an earlier test gave up on may still be counted here.
    assert seen["counts"]["token"] == 1
    assert seen["counts"]["search"] == len(seen["calls"]) - 1 >= 2
    assert {-1, 0, 3} <= {call["page"] for call in seen["calls"]}
    assert code not in json.dumps(seen)
