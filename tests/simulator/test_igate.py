"""The simulated iGate over HTTP: tokens, pages, filters, and what its items say."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from simulator.defects import Defect
from simulator.igate import IgateServer, IgateSwitches
from simulator.ledger import Entry
from simulator.portal import PortalServer
from simulator.world import World
from tests.simulator.igate_reader import NEWEST_FIRST, Item, Reader, dossier_of, local, moment, number_of, steps_of

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


def entries(world: World) -> dict[int, Entry]:
    return {entry.dossier_id: entry for entry in world.ledger("H21")}


def with_defect(world: World, items: list[Item], defect: Defect) -> list[tuple[Item, Entry]]:
    known = entries(world)
    found = [
        (item, known[number_of(item)]) for item in items if defect in known[number_of(item)].defects
    ]  # fmt: skip
    assert found
    return found


@pytest.fixture(scope="module")
def items(igate_world: World) -> list[Item]:
    """Everything that Gia Lai lists, newest first."""
    with IgateServer(igate_world, "H21") as server:
        return Reader(server).everything()


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_given_in_keycloaks_words(gialai: IgateServer) -> None:
    answer = Reader(gialai, log_in=False).log_in()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert body["access_token"]


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"password": "wrong"}, 401, "invalid_grant"),
        ({"username": "nobody"}, 401, "invalid_grant"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ],
)
def test_who_logs_in_wrongly_gets_no_token(
    gialai: IgateServer, changed: dict[str, str], status: int, error: str
) -> None:
    answer = Reader(gialai, log_in=False).log_in(**changed)
    assert answer.status_code == status
    assert answer.json()["error"] == error


def test_nothing_is_shown_without_a_token(gialai: IgateServer) -> None:
    for path in (
        "/pa/dossier/search",
        "/pa/dossier/64c000150000000000002711/--online",
        "/pa/dossier-fee/--by-dossiers",
    ):
        answer = httpx.get(f"{gialai.url}{path}")
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_token"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_expires_and_another_one_works(gialai: IgateServer, reader: Reader) -> None:
    assert reader.search().status_code == 200
    gialai.igate.pass_time(301)
    assert reader.search().status_code == 401
    reader.token = reader.log_in().json()["access_token"]
    assert reader.search().status_code == 200


def test_a_refresh_token_gives_another_token(gialai: IgateServer) -> None:
    one = Reader(gialai, log_in=False)
    refresh = one.log_in().json()["refresh_token"]
    gialai.igate.pass_time(301)
    one.token = one.log_in(grant_type="refresh_token", refresh_token=refresh).json()["access_token"]
    assert one.search().status_code == 200


def test_the_life_of_a_token_is_a_switch(gialai: IgateServer) -> None:
    gialai.switches = IgateSwitches(token_ttl_s=30.0)
    assert Reader(gialai, log_in=False).log_in().json()["expires_in"] == 30


# --- pages ----------------------------------------------------------------------------------------------------------


def test_a_page_has_springs_shape(reader: Reader, igate_world: World) -> None:
    page = reader.page(1, 20, spec="page")
    total = len(igate_world.plans["H21"])
    sort = {"sorted": True, "unsorted": False, "empty": False}
    pageable = {"sort": sort, "offset": 20, "pageNumber": 1, "pageSize": 20, "paged": True, "unpaged": False}
    assert {name: value for name, value in page.items() if name != "content"} == {
        "pageable": pageable, "last": False, "size": 20, "number": 1, "sort": sort, "first": False,
        "numberOfElements": 20, "empty": False, "totalPages": -(-total // 20), "totalElements": total,
    }  # fmt: skip
    assert len(page["content"]) == 20


def test_a_slice_knows_no_totals(reader: Reader) -> None:
    page = reader.page(0, 20, spec="slice")
    assert "totalPages" not in page
    assert "totalElements" not in page


def test_all_pages_together_are_all_dossiers_once(items: list[Item], igate_world: World) -> None:
    assert Counter(map(number_of, items)) == Counter(plan.dossier_id for plan in igate_world.plans["H21"])


def test_the_newest_change_comes_first(items: list[Item]) -> None:
    order = [(moment(item["updatedDate"]), number_of(item)) for item in items]
    assert order == sorted(order, reverse=True)


def test_a_page_past_the_end_is_empty_and_the_last(reader: Reader) -> None:
    page = reader.page(500)
    assert (page["content"], page["empty"], page["last"]) == ([], True, True)


def test_a_size_over_the_limit_is_cut_without_a_word(gialai: IgateServer, reader: Reader) -> None:
    gialai.switches = IgateSwitches(max_page_size=30)
    page = reader.page(0, 5000)
    assert (page["size"], len(page["content"])) == (30, 30)


@pytest.mark.parametrize(
    "wrong", [{"page": -1}, {"size": 0}, {"size": "many"}, {"spec": "book"}, {"accepted_from": "2026"}]
)
def test_a_parameter_that_cannot_be_understood_is_springs_400(reader: Reader, wrong: dict[str, Any]) -> None:
    answer = reader.search(**wrong)
    assert answer.status_code == 400
    assert set(answer.json()) == {"timestamp", "status", "error", "message", "path"}


# --- filters --------------------------------------------------------------------------------------------------------


def test_a_dossier_is_found_by_its_code(reader: Reader, items: list[Item]) -> None:
    wanted = items[7]
    assert wanted["id"] in [item["id"] for item in reader.page(0, code=wanted["code"])["content"]]
    assert reader.page(0, code="H21.99-000000-0000")["content"] == []


@pytest.mark.parametrize(
    ("parameter", "of"),
    [
        ("procedure_id", lambda item: item["procedure"]["id"]),
        ("sector_id", lambda item: item["procedure"]["sector"]["id"]),
        ("dossier_status", lambda item: item["dossierStatus"]["id"]),
        ("task_status_id", lambda item: item["dossierTaskStatus"]["id"]),
        ("apply_method_id", lambda item: item["applyMethod"]["id"]),
        ("receiving_kind_id", lambda item: item["dossierReceivingKind"]["id"]),
        ("ancestor_agency_id", lambda item: item["agency"]["id"]),
        ("identity_number", lambda item: item["applicant"]["data"]["identityNumber"]),
    ],
)
def test_a_filter_leaves_what_it_names(
    reader: Reader, igate_world: World, items: list[Item], parameter: str, of: Callable[[Item], Any]
) -> None:
    spoiled = {entry.dossier_id for entry in entries(igate_world).values() if not entry.clean}
    sound = [item for item in items if number_of(item) not in spoiled]
    wanted = of(sound[0])
    found = {item["id"] for item in reader.everything(**{parameter: wanted}) if number_of(item) not in spoiled}
    assert found == {item["id"] for item in sound if of(item) == wanted}
    assert found != {item["id"] for item in sound}


def test_the_province_is_above_all_its_agencies(reader: Reader, items: list[Item]) -> None:
    assert len(reader.everything(ancestor_agency_id="000000000191c4e1bd300021")) == len(items)


def test_days_of_filters_are_days_in_vietnam(reader: Reader, items: list[Item]) -> None:
    accepted = sorted(local(item["acceptedDate"]) for item in items if item["acceptedDate"])
    day = accepted[len(accepted) // 2][:8]
    text = f"{day[6:]}/{day[4:6]}/{day[:4]}"
    found = [local(item["acceptedDate"])[:8] for item in reader.everything(accepted_from=text, accepted_to=text)]
    assert found
    assert {day} >= set(found) - {""}


def test_there_is_no_filter_by_change(reader: Reader, items: list[Item]) -> None:
    assert len(reader.everything(updated_from="01/01/2030")) == len(items)


def test_softly_deleted_dossiers_can_be_left_out(reader: Reader, igate_world: World, items: list[Item]) -> None:
    deleted = {item["id"] for item, _ in with_defect(igate_world, items, Defect.ORPHAN_CHILD)}
    assert {item["id"] for item in items if item["dossierStatus"]["id"] == 18} == deleted
    assert {item["id"] for item in reader.everything(remove_status=18)} == {i["id"] for i in items} - deleted


# --- items ----------------------------------------------------------------------------------------------------------


def test_clean_dossiers_carry_the_whole_truth(reader: Reader, igate_world: World, items: list[Item]) -> None:
    known = entries(igate_world)
    clean = [item for item in items if known[number_of(item)].clean][::3]
    fees: dict[str, list[Item]] = {}
    for fee in reader.fees([item["id"] for item in clean]):
        fees.setdefault(fee["dossier"]["id"], []).append(fee)
    for item in clean:
        entry = known[number_of(item)]
        told = dossier_of(reader.detail(item["id"]), fees.get(item["id"], []))
        assert told == {name: entry.truth[name] for name in told}
        assert steps_of(item) == list(entry.steps)


def test_midnight_in_vietnam_is_five_in_the_afternoon_of_the_day_before(items: list[Item]) -> None:
    for item in items:
        assert all(DATE.fullmatch(item[name]) for name in ("appliedDate", "updatedDate"))
    birthday = items[0]["applicant"]["data"]["identityDate"]
    assert birthday.endswith("T17:00:00.000+0000")
    assert local(birthday).endswith("000000")


def test_a_waiting_dossier_has_a_number_but_no_reception(items: list[Item]) -> None:
    waiting = [item for item in items if item["dossierStatus"]["id"] == 0]
    assert waiting
    assert all(item["code"] and item["acceptedDate"] is None for item in waiting)
    assert all(item["currentTask"] == item["task"][-1:] for item in waiting)


def test_a_national_number_stands_beside_the_provinces_own(items: list[Item]) -> None:
    numbers = [item["nationCode"] for item in items if item["nationCode"]]
    assert numbers
    assert all(re.fullmatch(r"G22\.99\.21-\d{6}-\d{4}", number) for number in numbers)


def test_codes_are_unique_but_for_duplicates(igate_world: World) -> None:
    codes = [entry.code for entry in igate_world.ledger("H21") if entry.code and not entry.duplicate_of]
    assert len(codes) == len(set(codes))


def test_codes_of_before_the_merger_carry_the_closed_province(igate_world: World) -> None:
    closed = {entry.code.split("-")[0][-3:] for entry in igate_world.ledger() if entry.code}
    assert closed & {"H08", "H30", "H51"}


def test_every_defect_shows_as_what_it_is(reader: Reader, igate_world: World, items: list[Item]) -> None:
    def all_of(defect: Defect) -> list[tuple[Item, Entry]]:
        return with_defect(igate_world, items, defect)

    procedures = {procedure.code: procedure.state for procedure in igate_world.catalogue.procedures}
    states = [
        procedures.get(".".join(i["procedure"]["code"].split(".")[:2])) for i, _ in all_of(Defect.UNKNOWN_PROCEDURE)
    ]
    assert set(states) <= {None, "vanished"}
    for item, _ in all_of(Defect.RETIRED_PROCEDURE):
        assert procedures[".".join(item["procedure"]["code"].split(".")[:2])] == "retired"
    for item, entry in all_of(Defect.MALFORMED_CODE):
        assert item["code"] != entry.code
    for item, _ in all_of(Defect.DATES_OUT_OF_ORDER):
        applied, accepted = item["appliedDate"], item["acceptedDate"]
        later = [item[name] for name in ("appointmentDate", "completedDate") if item[name]]
        assert applied > accepted or min(later) < accepted
    for item, _ in all_of(Defect.UNKNOWN_STATUS):
        assert item["dossierStatus"]["id"] in (11, 27, 99)
    for item, _ in all_of(Defect.DUMMY_ID):
        assert item["applicant"]["data"]["identityNumber"] == "000000001"
    for item, _ in all_of(Defect.PORTAL_REFUSES):
        assert item["applicant"]["data"]["identityNumber"].startswith("997")
    for item, entry in all_of(Defect.NFD_TEXT):
        name = item["applicant"]["data"]["ownerFullname"]
        assert name != entry.truth["ChuHoSo"]
        assert unicodedata.normalize("NFC", name) == entry.truth["ChuHoSo"]
    for item, _ in all_of(Defect.EMPTY_REQUIRED):
        assert not (item["agency"]["name"] and item["applicant"]["data"]["ownerFullname"] and item["acceptedDate"])
    for item, _ in all_of(Defect.RESULT_WITHOUT_FILE):
        (result,) = reader.detail(item["id"])["attachment"]
        assert (result["id"], result["downloadURL"]) == ("", "")
    by_number = {number_of(item): item for item in items}
    for item, entry in all_of(Defect.DUPLICATE_ROW):
        assert item["code"] == by_number[entry.duplicate_of]["code"]


def test_unknown_dossiers_have_no_detail_and_no_fees(reader: Reader) -> None:
    for unknown in ("64c00015000000000fffffff", "64c0", "nonsense"):
        answer = reader.get(f"/pa/dossier/{unknown}/--online")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)
        assert reader.fees([unknown]) == []


def test_names_of_procedures_come_as_list_or_as_object(gialai: IgateServer, reader: Reader) -> None:
    listed = reader.page(0, 1)["content"][0]["procedure"]["translate"]
    gialai.switches = IgateSwitches(translate_as_object=True)
    assert reader.page(0, 1)["content"][0]["procedure"]["translate"] == listed[0]


def test_items_need_not_say_when_they_changed(gialai: IgateServer, reader: Reader) -> None:
    order = reader.ids(0)
    gialai.switches = IgateSwitches(shows_updated_date=False)
    assert all("updatedDate" not in item for item in reader.page(0)["content"])
    assert reader.ids(0) == order


def test_the_search_may_list_files_too(gialai: IgateServer, reader: Reader) -> None:
    gialai.switches = IgateSwitches(form_files_in_search=True)
    (item,) = reader.page(0, 1)["content"]
    assert item == reader.detail(item["id"])


def test_a_clock_that_is_off_moves_the_header_and_all_dates(gialai: IgateServer, reader: Reader) -> None:
    right = reader.page(0, 1)["content"][0]
    gialai.switches = IgateSwitches(clock_offset_s=3600)
    answer = reader.search(size=1, sort=NEWEST_FIRST)
    wrong = answer.json()["content"][0]
    for name in ("appliedDate", "updatedDate"):
        assert (moment(wrong[name]) - moment(right[name])).total_seconds() == 3600
    shown = parsedate_to_datetime(answer.headers["Date"])
    assert 3000 < (shown - datetime.now(UTC)).total_seconds() <= 3600


# --- the world ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_answers() -> None:
    answers = []
    for _ in range(2):
        with IgateServer(World.generate(5, 60, "2026-10", provinces=("H13",)), "H13") as server:
            answers.append(Reader(server).everything())
    assert answers[0] == answers[1]


def test_a_province_does_not_depend_on_its_neighbours() -> None:
    alone = World.generate(5, 60, "2026-10", provinces=("H21",))
    together = World.generate(5, 60, "2026-10", provinces=("H17", "H26", "H21", "H13"))
    assert alone.plans["H21"] == together.plans["H21"]


def test_the_portal_takes_dossiers_of_igate_provinces(igate_world: World, portal: PortalServer, connect: Any) -> None:
    for province in ("H21", "H13"):
        one = next(e for e in igate_world.ledger(province) if e.clean and e.truth["NgayTiepNhan"])
        assert "thành công" in connect(province).create(one.truth)["message"]
