"""What goes wrong over HTTP: passing faults are sat out, lasting ones are one clear error, and a next try goes on."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as ConnectionOfPipe
from pathlib import Path
from typing import Any

import pytest

from lienthong.connections import Connection
from lienthong.landing import LandingStore
from lienthong.model.codes import LoadMode
from lienthong.model.errors import (
    ContractError,
    DiskFullError,
    NotReadyError,
    SchemaDriftError,
    SourceAccessError,
    SourceAnswerError,
    SourceUnreachableError,
)
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.contract_parts import DailyWindow
from lienthong.sources.systems.igate.extract import extract
from lienthong.sources.systems.igate.mapping import DOSSIER
from simulator.igate import FaultKind, IgateSwitches
from simulator.igate.ids import dossier_id
from simulator.igate.instants import OFFSET_S
from tests.sources.igate import PAGE, Gateway, contract_of, versions
from tests.sources.test_igate_moving import at_rows

PASSING = [
    FaultKind.HTML_PAGE,
    FaultKind.ERROR_BODY,
    FaultKind.HTTP_500,
    FaultKind.HTTP_502,
    FaultKind.HTTP_503,
    FaultKind.HTTP_429,
    FaultKind.TRUNCATED_JSON,
    FaultKind.DROP,
]
ANSWERED = {FaultKind.HTML_PAGE, FaultKind.ERROR_BODY, FaultKind.TRUNCATED_JSON}
#: Words of the simulator's error bodies, and a field's name: no message may quote an answer.
QUOTED = ("Hệ thống", "Lỗi", "bận", "fullname", "<html")


@pytest.mark.parametrize("kind", PASSING)
def test_a_passing_fault_is_sat_out(gateway: Gateway, kind: FaultKind) -> None:
    order = at_rows({2 * PAGE: lambda: gateway.server.fail_next("search", kind, 2)})
    assert versions(gateway.load(progress=order)) == gateway.there()


@pytest.mark.parametrize("kind", PASSING)
def test_a_lasting_fault_is_one_clear_error_and_the_next_try_goes_on_where_it_stopped(
    gateway: Gateway, kind: FaultKind
) -> None:
    order = at_rows({4 * PAGE: lambda: gateway.server.fail_next("search", kind, 3)})
    with pytest.raises(SourceAnswerError if kind in ANSWERED else SourceUnreachableError) as caught:
        gateway.load(progress=order)
    message = str(caught.value)
    assert "source igate_h21, load 1, key page " in message
    assert "Next: " in message
    assert "3 tries" in message
    assert not [word for word in QUOTED if word in message]
    assert not [name for name in gateway.files() if "manifest" in name]
    before = len(gateway.searches())
    assert versions(gateway.load(again=True)) == gateway.there()
    assert min(gateway.searches()[before:-1]) >= 3, "only the look at the top starts from the beginning"
    assert [name for name in gateway.files() if "progress" in name] == []


def test_a_wait_that_the_server_asks_for_is_kept_but_never_longer_than_the_contract_allows(gateway: Gateway) -> None:
    from lienthong.sources.systems.igate.client import IgateClient

    gateway.server.switches = IgateSwitches(retry_after_s=3_600)
    waits: list[float] = []
    gateway.server.fail_next("search", FaultKind.HTTP_429, 1)
    with IgateClient(gateway.contract, gateway.connection, sleep=waits.append) as client:
        client.search(0, 10)
    assert waits == [gateway.contract.http.longest_wait_s]
    gateway.server.switches = IgateSwitches(retry_after_s=0)
    gateway.server.fail_next("search", FaultKind.HTTP_503, 1)
    with IgateClient(gateway.contract, gateway.connection, sleep=waits.append) as client:
        client.search(0, 10)
    assert waits[1:] == [0.0]


def test_pages_that_time_out_are_asked_for_in_halves(gateway: Gateway) -> None:
    gateway.contract = contract_of(http={"read_timeout_s": 0.5})
    gateway.server.switches = IgateSwitches(slow_s=0.8)
    sizes: list[int] = []
    searcher = gateway.server.igate.searcher
    original = searcher.page

    def page(query: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        sizes.append(query.size)
        return original(query, *arguments, **options)

    searcher.page = page  # type: ignore[method-assign]
    order = at_rows({2 * PAGE: lambda: gateway.server.fail_next("search", FaultKind.SLOW, 2)})
    assert versions(gateway.load(progress=order)) == gateway.there()
    assert max(sizes) == PAGE
    assert min(sizes[:-3]) <= PAGE // 2


def test_a_server_that_is_not_there_is_a_transient_error(gateway: Gateway) -> None:
    with pytest.raises(SourceUnreachableError, match="source igate_h21, load 1"):
        gateway.load(connection=replace(gateway.connection, port=1))


def test_tokens_are_renewed_before_they_expire_and_when_they_are_refused(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches(token_ttl_s=1)
    order = at_rows(
        {
            2 * PAGE: lambda: gateway.server.fail_next("search", FaultKind.REFUSE_TOKEN, 1),
            3 * PAGE: lambda: gateway.server.igate.pass_time(2),
            5 * PAGE: lambda: gateway.server.igate.pass_time(2),
        }
    )
    assert versions(gateway.load(progress=order)) == gateway.there()
    refused = [call for call in gateway.server.igate.calls if call.endpoint == "search" and call.status == 401]
    assert len(refused) == 1


def test_a_token_refused_half_way_for_good_is_told_and_the_next_try_goes_on(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches(refuse_after_pages=4, refuse_for_good=True)
    with pytest.raises(SourceAccessError, match="right after a log-in") as caught:
        gateway.load()
    assert "source igate_h21, load 1, key src_igate_h21" in str(caught.value)
    gateway.server.switches = IgateSwitches()
    gateway.server.advance(3)
    before = len(gateway.searches())
    seen = versions(gateway.load(again=True))
    missed = gateway.there().items() - seen.items()
    assert all(datetime.fromisoformat(text) < mark_of(gateway) for _, text in missed), "only back-dated imports"
    assert min(gateway.searches()[before : before + 3]) >= 3
    assert versions(gateway.load()).items() >= missed


def mark_of(gateway: Gateway) -> datetime:
    mark = gateway.marks[DOSSIER].modified_at
    assert mark is not None
    return mark


@pytest.mark.parametrize(
    "changes",
    [
        {"login": "nobody"},
        {"password": "s3cret-word"},
        {"extra": "client_id"},
        {"extra": "token_url"},
    ],
)
def test_a_refused_log_in_is_told_without_the_password(gateway: Gateway, changes: dict[str, str]) -> None:
    connection = gateway.connection
    if "extra" in changes:
        wrong = {"client_id": "another", "token_url": f"{gateway.server.url}/nowhere"}[changes["extra"]]
        connection = replace(connection, extra={**connection.extra, changes["extra"]: wrong})
    else:
        connection = replace(connection, **changes)
    told = rf"log-in at 127.0.0.1:{gateway.server.port} was refused"
    with pytest.raises(SourceAccessError, match=told) as caught:
        gateway.load(connection=connection)
    assert "s3cret-word" not in str(caught.value)
    assert "token_url" in str(caught.value)


@pytest.mark.parametrize("lacking", ["token_url", "client_id"])
def test_a_connection_that_lacks_something_says_what(gateway: Gateway, lacking: str) -> None:
    extra = {name: value for name, value in gateway.connection.extra.items() if name != lacking}
    with pytest.raises(ContractError, match=lacking):
        gateway.load(connection=replace(gateway.connection, extra=extra))


WORD = "s3cret-word"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("token_url", f"http://reader:{WORD}@[oops/token"),
        ("token_url", f"{WORD}/token"),
        ("token_url", f"ftp://{WORD}/token"),
        ("token_url", "://x"),
        ("host", f"http://reader:{WORD}@[oops"),
        ("host", f"ftp://{WORD}"),
    ],
)
def test_an_address_that_is_none_says_so_without_quoting_it(gateway: Gateway, place: str, text: str) -> None:
    connection = gateway.connection
    if place == "host":
        connection = replace(connection, host=text, port=None)
    else:
        connection = replace(connection, extra={**connection.extra, place: text})
    with pytest.raises(ContractError, match="token_url") as caught:
        gateway.load(connection=connection)
    assert WORD not in str(caught.value)


def test_a_wrong_address_is_not_tried_again(gateway: Gateway) -> None:
    connection = replace(gateway.connection, host=f"http://127.0.0.1:{gateway.server.port}/elsewhere", port=None)
    with pytest.raises(SourceAccessError, match="HTTP 404"):
        gateway.load(connection=connection)
    assert len([call for call in gateway.server.igate.calls if call.endpoint == "token"]) <= 1


def test_a_list_without_modification_dates_is_refused_rather_than_read_for_ever(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches(shows_updated_date=False)
    with pytest.raises(SchemaDriftError, match="updatedDate"):
        gateway.load()


def test_reading_ends_with_its_hours_and_a_later_try_goes_on(gateway: Gateway) -> None:
    evening = datetime(2026, 11, 1, 22, tzinfo=gateway.contract.zone)
    hours = DailyWindow(evening.time(), (evening + timedelta(hours=2)).time())
    gateway.contract = gateway.contract.model_copy(
        update={"read": gateway.contract.read.model_copy(update={"hours": hours})}
    )
    times = iter([evening + timedelta(minutes=30) * n for n in range(100)])
    with pytest.raises(NotReadyError, match="22:00 to 00:00"):
        gateway.load(now=lambda: next(times))
    before = len(gateway.searches())
    assert before >= 2
    assert versions(gateway.load(again=True, now=lambda: evening)) == gateway.there()
    assert min(gateway.searches()[before:-1]) >= 1


HOUR = timedelta(hours=1)


def stamp(gateway: Gateway, place: int, moment: datetime) -> str:
    """The dossier at `place` of the list (from the top) is touched, and the list dates it so; returns its id."""
    store = gateway.server.store
    number = store.newest_first()[place]
    clock_off = timedelta(seconds=gateway.server.switches.clock_offset_s)
    local = (moment - clock_off).replace(microsecond=0) + timedelta(seconds=OFFSET_S)
    store._touches[number] = int(local.timestamp())
    store.refresh((number,))
    key = dossier_id("H21", number)
    assert datetime.fromisoformat(gateway.there()[key]) == moment.replace(microsecond=0)
    return key


@pytest.mark.parametrize(
    ("off", "overlap"), [(HOUR, HOUR + timedelta(minutes=10)), (-HOUR, timedelta(minutes=10))], ids=["ahead", "behind"]
)
def test_a_server_clock_an_hour_off_loses_nothing(gateway: Gateway, off: timedelta, overlap: timedelta) -> None:
    """What is touched in the hour that the clock jumps back over, or leaves out, when somebody puts it right. Only the
    overlap reaches back over a jump, so it is a little longer than that."""
    gateway.contract = contract_of(overlap=overlap)
    gateway.server.switches = IgateSwitches(clock_offset_s=int(off.total_seconds()))
    newest = max(datetime.fromisoformat(text) for text in gateway.there().values())
    gateway.load()
    assert mark_of(gateway) == newest, "a date of the list, as the list says it"
    gateway.server.switches = IgateSwitches()
    if off > timedelta():
        stamp(gateway, 0, newest)  # what was dated ahead stays so
    touched = stamp(gateway, 100, newest - off / 2)
    older = stamp(gateway, 100, newest - 3 * HOUR)
    seen = versions(gateway.load())
    assert seen[touched] == gateway.there()[touched]
    assert older not in seen, "with an overlap of days this test would show nothing"
    assert mark_of(gateway) == max(datetime.fromisoformat(text) for text in gateway.there().values())


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_what_lies_in_the_future_is_told_by_the_servers_own_clock(gateway: Gateway, off: timedelta) -> None:
    """A date more than an hour ahead of the server's clock does not move the watermark; one that is only ahead of ours
    does."""
    gateway.contract = contract_of(overlap=timedelta(minutes=10))
    gateway.server.switches = IgateSwitches(clock_offset_s=int(off.total_seconds()))
    ours = datetime.now(UTC).replace(microsecond=0)
    theirs = ours + off
    stamp(gateway, 0, theirs)
    odd = theirs + timedelta(minutes=30 if off > timedelta() else 90)
    stamp(gateway, 1, odd)
    gateway.load()
    assert mark_of(gateway) == (odd if off > timedelta() else theirs)
    gateway.server.switches = IgateSwitches()
    touched = stamp(gateway, 100, max(mark_of(gateway), ours) + timedelta(minutes=1))
    assert versions(gateway.load())[touched] == gateway.there()[touched]


def test_a_watermark_keeps_to_our_clock_while_the_servers_is_days_ahead(gateway: Gateway) -> None:
    gateway.contract = contract_of(overlap=timedelta(minutes=10))
    gateway.server.switches = IgateSwitches(clock_offset_s=72 * 3600)
    ours = datetime.now(UTC).replace(microsecond=0)
    stamp(gateway, 0, ours + 72 * HOUR)
    facts = gateway.load().manifest.facts
    assert facts.clock_ahead is not None
    assert 71 * HOUR < facts.clock_ahead < 73 * HOUR
    assert mark_of(gateway) < ours + 3 * HOUR
    gateway.server.switches = IgateSwitches()
    touched = stamp(gateway, 100, datetime.now(UTC) + 3 * HOUR)
    assert versions(gateway.load())[touched] == gateway.there()[touched]


def test_a_watermark_that_a_wrong_clock_left_in_the_future_makes_the_next_load_read_the_whole_list(
    gateway: Gateway,
) -> None:
    gateway.contract = contract_of(overlap=timedelta(minutes=10))
    gateway.load()
    right = mark_of(gateway)
    gateway.marks = {DOSSIER: replace(gateway.marks[DOSSIER], modified_at=right + 9_000 * HOUR, overlap_rows=5)}
    assert versions(gateway.load()) == gateway.there()
    assert mark_of(gateway) == right


PROCESSES = multiprocessing.get_context("forkserver")


def _extract(
    contract: SourceContract,
    connection: Connection,
    landing: str,
    load: int,
    fence: int,
    die_at: int,
    full_at: int,
    told: ConnectionOfPipe,
) -> None:
    """A try of a load in a process of its own: killed once so many dossiers were read, or its disk is full then."""

    def progress(_: str, rows: int) -> None:
        if die_at and rows >= die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if full_at and rows >= full_at:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FITS, FITS))

    try:
        writer = LandingStore(landing).writer("H21", contract.source_id, load, fence)
        extract(contract, connection, writer, {}, LoadMode.INCREMENTAL, None, progress)
    except DiskFullError as full:
        told.send(str(full))
        os._exit(28)


#: Bytes that a file may have on a disk that is full: less than any that a load writes.
FITS = 1_000


def tried(gateway: Gateway, fence: int, *, die_at: int = 0, full_at: int = 0) -> tuple[int | None, str]:
    """How a try of load 1 ended: its exit code, and the words of the error when its disk was full."""
    hears, told = PROCESSES.Pipe(duplex=False)
    arguments = (gateway.contract, gateway.connection, str(gateway.landing), 1, fence, die_at, full_at, told)
    child = PROCESSES.Process(target=_extract, args=arguments)
    child.start()
    child.join()
    told.close()
    with hears:
        return child.exitcode, hears.recv() if child.exitcode == 28 else ""


def test_a_killed_read_goes_on_where_it_last_wrote_down_and_takes_in_what_changed(gateway: Gateway) -> None:
    gateway.contract = contract_of(8)
    assert tried(gateway, 1, die_at=110)[0] == -signal.SIGKILL
    assert tried(gateway, 2, die_at=130)[0] == -signal.SIGKILL
    store = gateway.server.store
    store.touch(store.newest_first()[3])
    store.touch(store.newest_first()[-3])
    before = len(gateway.searches())
    gateway.loads, gateway.fence = 1, 2
    batch = gateway.load(again=True)
    assert versions(batch) == gateway.there()
    assert batch.manifest.facts.began_fence == 1, "what the first try read is as old as that"
    assert gateway.searches()[before] >= 8, "most of the list is not asked for again"
    assert len(gateway.searches()) - before < before


@pytest.mark.parametrize(("full_at", "kept_pages"), [(1, 0), (60, 4), (110, 9)])
def test_a_disk_that_is_full_ends_the_try_and_the_next_one_goes_on(
    gateway: Gateway, full_at: int, kept_pages: int
) -> None:
    gateway.contract = contract_of(8)
    code, told = tried(gateway, 1, full_at=full_at)
    assert code == 28
    for word in ("igate_h21", str(gateway.landing), "may not become larger", "Next: "):
        assert word in told
    assert not list(Path(gateway.landing).rglob("*.partial"))
    assert not [name for name in gateway.files() if "manifest" in name]
    before = len(gateway.searches())
    gateway.loads, gateway.fence = 1, 1
    assert versions(gateway.load(again=True)) == gateway.there()
    assert gateway.searches()[before] >= kept_pages, "what had been written down is not asked for again"


def test_progress_made_for_other_entities_is_not_continued(gateway: Gateway) -> None:
    order = at_rows({4 * PAGE: lambda: gateway.server.fail_next("search", FaultKind.HTTP_500, 3)})
    with pytest.raises(SourceUnreachableError):
        gateway.load(progress=order)
    before = len(gateway.searches())
    assert versions(gateway.load(again=True, entities=(Entity.DOSSIER,))) == gateway.there()
    assert gateway.searches()[before] == 0


def test_the_servers_clock_is_told_by_a_look(gateway: Gateway) -> None:
    from lienthong.sources.profiles import profile_of

    gateway.server.switches = IgateSwitches(clock_offset_s=3_600)
    sight = profile_of(gateway.contract).look(gateway.contract, gateway.connection, lambda: datetime.now(UTC))
    assert sight.clock_ahead is not None
    assert timedelta(minutes=59) < sight.clock_ahead < timedelta(minutes=61)
    assert any("60 phút" in remark for remark in sight.remarks)
    assert [(table.name, table.rows) for table in sight.tables] == [(DOSSIER, len(gateway.there()))]
    assert sight.may_write is None, "HTTP does not tell"
    assert sight.missing == ()
    assert sum(sight.hours) == 20
    assert sight.unmapped_columns == {}
