"""Where citizens say something, on its bench: the national PAKN, a city's 1022, and a service of ratings."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest

from lienthong.connections import Connection
from lienthong.model.kinds import ENTITIES, ValueType
from lienthong.model.periods import BUSINESS_ZONE
from simulator.danhgia import RatingServer
from simulator.feedback import Desk, Feedback, FeedbackEntry, Petition, Rating
from simulator.feedback.lives import minute
from simulator.feedback.petitions import Act
from simulator.feedback.ratings import LEVELS
from simulator.hotline import HotlineServer
from simulator.pakn import PaknServer
from simulator.service import FaultKind, ServiceServer
from simulator.workdays import DAY, HOUR
from simulator.world import World
from tests.sources.conformance.bench import SECRET, SHIFT, Bench, Fact, Fields, Habit, Passage, Truth, Verdict
from tests.sources.conformance.http_tap import HttpTap

SEED, TENANT, RECORDS = 5, "H17", 36
Said = Petition | Rating

#: Words of the simulator's ledger → our codes.
_CLASSES = {"behaviour": 1, "regulation": 2, "other": 3}
_STATUSES = (
    "sent", "transferred", "supplement_requested", "processing", "answered", "published", "refused", "withdrawn",
)  # fmt: skip
_CODES: Mapping[str, Mapping[str, int]] = {
    "classification": _CLASSES,
    "status": {word: number for number, word in enumerate(_STATUSES, start=1)},
    "satisfaction": {word: number for number, word in enumerate(LEVELS, start=1)},
}
_NO_BIN = "the system has no bin: what is withdrawn is a status, what is deleted is gone"
_BY_ARRIVAL = "rows say when they came in, not when they were modified: the overlap reads the last weeks again"


class DeskBench(Bench):
    """`reach`: how far behind the newest record an incremental load reads again, where records don't say when they were
    modified; 0 where they do."""

    entity: ClassVar[str]
    child: ClassVar[str]
    desk: ClassVar[str]
    endpoint: ClassVar[str]
    path: ClassVar[str]
    size_name: ClassVar[str]
    key_name: ClassVar[str]
    paths: ClassVar[Mapping[str, str]]
    lost: ClassVar[str]
    reach: ClassVar[int] = 0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        world = World.generate(SEED, 120, "2026-10", provinces=(TENANT,))
        self.feedback = Feedback.of(world, TENANT, size=RECORDS, share=0.0)
        self.server = self.make_server()
        self.tap: HttpTap = HttpTap(self.server.url)
        self.tap.rewrites.append(self._rewritten)
        self.busy: set[int] = set()
        self.rng = Random(SEED)
        self._edits: dict[str, dict[str, str]] = {}
        self._child_notes: dict[str, str] = {}
        self._drifted: Fact | None = None
        self._ahead: timedelta | None = None

    @abstractmethod
    def make_server(self) -> ServiceServer: ...

    @property
    @abstractmethod
    def records(self) -> Sequence[Said]: ...

    @abstractmethod
    def entry(self, plan: Said) -> FeedbackEntry: ...

    @abstractmethod
    def arrive(self, at: int) -> Said:
        """A new record of an instant."""

    @abstractmethod
    def date(self, plan: Said) -> int:
        """By which an incremental load finds it."""

    @abstractmethod
    def listed(self) -> list[Said]:
        """The records in the order of the list."""

    def moved(self, plan: Said) -> None:
        """It is modified now, where the system has such a date."""

    def key(self, plan: Said) -> str:
        return str(plan.number)

    def __enter__(self) -> DeskBench:
        self.server.__enter__()
        self.tap.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.tap.__exit__()
        self.server.__exit__(None, None, None)

    def hasty(self) -> dict[str, dict[str, Any]]:
        return {"http": {"attempts": 2, "backoff_ms": 1, "longest_wait_s": 0.05}}

    @property
    def connection(self) -> Connection:
        account = next(iter(self.server.state.accounts.values()))
        conn_id = str(self.document()["connection"])
        return Connection(conn_id, "http", "127.0.0.1", self.tap.port, account.username, account.password, "http")

    @property
    def wrong_connection(self) -> Connection:
        return replace(self.connection, password=SECRET)

    def true(self) -> Truth:
        truth: Truth = {self.entity: {}, self.child: {}}
        for plan in self.records:
            if plan.gone:
                continue
            key, entry = self.key(plan), self.entry(plan)
            truth[self.entity][key] = _fields(self.entity, entry.truth)
            children = [_fields(self.child, child) for child in entry.children]
            if key in self._child_notes:
                children[0] = {**children[0], **self.child_noted(self._child_notes[key])}
            truth[self.child] |= {(key, number): child for number, child in enumerate(children)}
        return truth

    @abstractmethod
    def child_noted(self, note: str) -> Fields:
        """What a note in the first child is to be believed as."""

    def is_page(self, passage: Passage) -> bool:
        return f"{self.path}?" in passage.what

    def page_size(self, passage: Passage) -> int:
        found = re.search(rf"[?&]{self.size_name}=(\d+)", passage.what)
        return int(found.group(1)) if found else 10**9

    # What happens ------------------------------------------------------------------------------------------------

    def day(self) -> Mapping[Fact, Sequence[str]]:
        now, happened = self.now(), dict[Fact, Sequence[str]]()
        happened[Fact.ADDED] = [self.key(self._new(now + 60 * number)) for number in range(2)]
        happened[Fact.LATE] = [self.key(self._new(now - 6 * HOUR))]
        happened[Fact.CHANGED] = [self.key(self.change_one())]
        happened[Fact.CHILD_CHANGED] = [self._change_child()]
        if self.habit(Fact.TOUCHED).verdict is not Verdict.IMPOSSIBLE:
            happened[Fact.TOUCHED] = [self.key(self._touch())]
        return happened

    def change(self) -> str:
        return self.write(self.texts[0], f"Nội dung sửa lần {len(self._edits)}")

    def import_old(self) -> str:
        plan = self._new(self.feedback.lives.calendar.first + 9 * HOUR)
        return self.key(plan)

    def bin(self) -> str:
        raise NotImplementedError

    def remove(self) -> str:
        plan = self.resting()
        plan.gone = True
        return self.key(plan)

    def remove_most(self) -> None:
        for plan in sorted(self.records, key=self.date)[:-1]:
            plan.gone = True

    def remove_all(self) -> None:
        for plan in self.records:
            plan.gone = True

    def restore(self) -> None:
        for plan in self.records:
            plan.gone = False

    def write(self, field: str, text: str) -> str:
        plan = self.resting()
        self._edits[self.key(plan)] = {self.paths[field]: text}
        self.moved(plan)
        return self.note(self.key(plan), field, text)

    def drift(self, fact: Fact) -> None:
        self._drifted = fact

    def undo_drift(self) -> None:
        self._drifted = None

    def turn_clock(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.tap.clock_ahead = ahead

    def repeat_page(self, *, for_good: bool) -> None:
        times = 10**3 if for_good else 1
        self.tap.when(self.is_page, 2, lambda: self.server.fail_next(self.endpoint, FaultKind.PAGE_REPEAT, times))

    def shift_page(self) -> None:
        def vanish() -> None:
            for plan in self.listed()[:SHIFT]:
                plan.gone = True

        self.tap.when(self.is_page, 2, vanish)

    def end_session(self) -> None:
        self.server.state.refuse_tokens()

    # In the service ------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The system's time as a local instant of whole minutes: after all there is, or by its turned clock."""
        if self._ahead is not None:
            local = (datetime.now(BUSINESS_ZONE) + self._ahead).replace(tzinfo=None)
            return minute(int((local - datetime(1970, 1, 1)).total_seconds()))
        return max(max(self.date(plan) for plan in self.records), self.feedback.clock) + 60

    def resting(self) -> Said:
        """A record to which nothing happened yet, and that an incremental load can still see; it is busy now."""
        first = max(self.date(plan) for plan in self.records) - self.reach if self.reach else 0
        free = [p for p in self.records if not p.gone and p.number not in self.busy and self.date(p) > first]
        plan = min(free, key=lambda one: (self.date(one), one.number))
        self.busy.add(plan.number)
        return plan

    def change_one(self) -> Said:
        """Something happens to a record, as it does there."""
        plan = self.resting()
        plan.likes += 1
        self.moved(plan)
        return plan

    def _new(self, at: int) -> Said:
        plan = self.arrive(at)
        self.busy.add(plan.number)
        return plan

    def _touch(self) -> Said:
        plan = self.resting()
        self.moved(plan)
        return plan

    def _change_child(self) -> str:
        plan = self.resting()
        key = self.key(plan)
        self._child_notes[key] = self.child_note(plan)
        self.moved(plan)
        return key

    def child_note(self, plan: Said) -> str:
        return "Ghi chú mới"

    @abstractmethod
    def show_child_note(self, passage: Passage, rows: list[dict[str, Any]]) -> None:
        """Put `_child_notes` into the rows of an answer."""

    @abstractmethod
    def rows_of(self, body: Any) -> list[dict[str, Any]]:
        """The rows of a list in an answer."""

    def _rewritten(self, passage: Passage, body: Any) -> Any:
        rows = self.rows_of(body)
        self.show_child_note(passage, rows)
        if not self.is_page(passage):
            return body
        for row in rows:
            for path, text in self._edits.get(str(row[self.key_name]), {}).items():
                *above, last = path.split(".")
                place = row
                for name in above:
                    place = place[name]
                place[last] = text
            if self._drifted is Fact.NEW_KEY:
                row["soNhaMoi"] = "12A"
            elif self._drifted is Fact.RENAMED_KEY:
                row["tenKhac"] = row.pop(self.lost)
            elif self._drifted is Fact.LOST_KEY:
                del row[self.lost]
        return body


class PetitionBench(DeskBench):
    """A desk that takes petitions."""

    entity, child = "petition", "petition_step"
    texts = ("title", "sender_name", "agency_name")

    @property
    def records(self) -> Sequence[Petition]:
        return self.feedback.petitions[Desk(self.desk)]

    def entry(self, plan: Said) -> FeedbackEntry:
        key = (self.desk, plan.number)
        return next(one for one in self.feedback.ledger() if (one.desk, one.number) == key)

    def arrive(self, at: int) -> Petition:
        with self.feedback.lock:
            return self.feedback._enter(self.feedback.lives.petition(self.rng, Desk(self.desk), 0, sent=minute(at)))

    def change_one(self) -> Said:
        """It is acted upon: the petition and its steps change."""
        lives, now = self.feedback.lives, self.now()
        for plan in self.records:
            closed = plan.closed or plan.number in self.busy or plan.gone or plan.twin
            if not closed and (not self.reach or self.date(plan) > now - self.reach):
                self.busy.add(plan.number)
                lives.happen(self.rng, plan, Act.TRANSFERRED, now)
                return plan
        raise AssertionError("no petition is open")

    def child_noted(self, note: str) -> Fields:
        return {"content": note}


class PaknBench(PetitionBench):
    name = "pakn"
    profile = "pakn"
    source_id = "pakn_h17"
    desk, endpoint, path, size_name, key_name = "pakn", "petitions", "/api/v1/petitions", "pageSize", "id"
    paths: ClassVar[Mapping[str, str]] = {
        "title": "title",
        "sender_name": "sender.fullName",
        "agency_name": "department.name",
        "status": "status.code",
    }
    lost = "status"
    new_key = "petition.soNhaMoi"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.OLD: Habit(Verdict.LATER, "pages are asked for by when a petition changed: older dates lie before them"),
        Fact.BINNED: Habit(Verdict.IMPOSSIBLE, _NO_BIN),
    }

    def make_server(self) -> ServiceServer:
        return PaknServer({TENANT: self.feedback})

    def key(self, plan: Said) -> str:
        return f"h17-{plan.number}"

    def date(self, plan: Said) -> int:
        assert isinstance(plan, Petition)
        return max(plan.modified, plan.touched)

    def moved(self, plan: Said) -> None:
        assert isinstance(plan, Petition)
        plan.touched = self.now()

    def listed(self) -> list[Said]:
        return sorted(self.records, key=lambda plan: (self.date(plan), plan.number))

    def rows_of(self, body: Any) -> list[dict[str, Any]]:
        data = body.get("data") if isinstance(body, dict) else None
        return list(data["items"]) if data else []

    def show_child_note(self, passage: Passage, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["id"] in self._child_notes:
                row["histories"][0]["note"] = self._child_notes[row["id"]]


class HotlineBench(PetitionBench):
    name = "hotline1022"
    profile = "hotline1022"
    source_id = "hotline1022_h17"
    desk, endpoint, path, size_name, key_name = "hotline", "petitions", "/api/phananh/danhsach", "size", "id"
    paths: ClassVar[Mapping[str, str]] = {
        "title": "tieuDe",
        "sender_name": "hoTen",
        "agency_name": "donViXuLy",
        "status": "trangThai",
    }
    lost = "trangThai"
    new_key = "petition.soNhaMoi"
    reach = 55 * DAY
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.OLD: Habit(Verdict.LATER, _BY_ARRIVAL),
        Fact.TOUCHED: Habit(Verdict.IMPOSSIBLE, _BY_ARRIVAL),
        Fact.BINNED: Habit(Verdict.IMPOSSIBLE, _NO_BIN),
    }

    def make_server(self) -> ServiceServer:
        return HotlineServer(self.feedback)

    def date(self, plan: Said) -> int:
        assert isinstance(plan, Petition)
        return plan.sent

    def happen_now(self) -> str:
        return self.key(self._new(self.now()))

    def listed(self) -> list[Said]:
        return sorted(self.records, key=lambda plan: (self.date(plan), plan.number), reverse=True)

    def rows_of(self, body: Any) -> list[dict[str, Any]]:
        return list(body.get("duLieu") or ()) if isinstance(body, dict) else []

    def show_child_note(self, passage: Passage, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if "thuTu" in row and row["thuTu"] == "1" and row["phanAnhId"] in self._child_notes:
                row["noiDung"] = self._child_notes[row["phanAnhId"]]


class RatingBench(DeskBench):
    name = "danhgia"
    profile = "danhgia"
    source_id = "rating_h17"
    entity, child, desk = "rating", "rating_mark", "rating"
    endpoint, path, size_name, key_name = "ratings", "/api/DanhGiaHaiLong", "soDong", "Id"
    texts = ("comment", "rater_name", "agency_name")
    code = ("satisfaction", "satisfaction")
    paths: ClassVar[Mapping[str, str]] = {
        "comment": "NoiDungDanhGia",
        "rater_name": "NguoiDanhGia",
        "agency_name": "DonVi",
        "satisfaction": "DanhGia",
    }
    lost = "DanhGia"
    new_key = "rating.soNhaMoi"
    overlap = "45d"
    reach = 40 * DAY
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.OLD: Habit(Verdict.LATER, _BY_ARRIVAL),
        Fact.TOUCHED: Habit(Verdict.IMPOSSIBLE, _BY_ARRIVAL),
        Fact.BINNED: Habit(Verdict.IMPOSSIBLE, _NO_BIN),
        Fact.EXPIRED: Habit(Verdict.IMPOSSIBLE, "there is no log-in: a key stands in every request"),
    }

    @property
    def records(self) -> Sequence[Rating]:
        return self.feedback.ratings

    def make_server(self) -> ServiceServer:
        return RatingServer(self.feedback)

    def entry(self, plan: Said) -> FeedbackEntry:
        return next(
            one for one in self.feedback.ledger() if (one.desk, one.number) == (self.desk, plan.number)
        )  # fmt: skip

    def arrive(self, at: int) -> Rating:
        lives, ratings = self.feedback.lives, self.feedback.ratings
        with self.feedback.lock:
            ratings.append(lives.rating(self.rng, ratings[-1].number + 1, lives.ratable()[0], at))
        return ratings[-1]

    def date(self, plan: Said) -> int:
        assert isinstance(plan, Rating)
        return plan.rated

    def listed(self) -> list[Said]:
        return sorted(self.records, key=lambda plan: (self.date(plan), plan.number))

    def happen_now(self) -> str:
        return self.key(self._new(self.now()))

    def change_one(self) -> Said:
        plan = self.resting()
        assert isinstance(plan, Rating)
        plan.kind = "2" if plan.kind == "1" else "1"
        return plan

    def child_note(self, plan: Said) -> str:
        assert isinstance(plan, Rating)
        return "1" if plan.marks[0] != "1" else "2"

    def child_noted(self, note: str) -> Fields:
        return {"mark": int(note)}

    def end_session(self) -> None:
        raise NotImplementedError

    def rows_of(self, body: Any) -> list[dict[str, Any]]:
        result = body.get("result") if isinstance(body, dict) else None
        return list(result["danhSach"]) if result else []

    def show_child_note(self, passage: Passage, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if str(row["Id"]) in self._child_notes:
                row["TieuChi"][0]["Diem"] = self._child_notes[str(row["Id"])]


def _fields(entity: str, words: Mapping[str, Any]) -> Fields:
    return {name: _value(entity, name, said) for name, said in words.items()}


def _value(entity: str, name: str, said: Any) -> Any:
    if said == "" or said is None:
        return None
    if name in _CODES:
        return _CODES[name][said]
    if ENTITIES[entity].field(name).type is ValueType.INSTANT:
        return datetime.strptime(said, "%Y%m%d%H%M%S").replace(tzinfo=BUSINESS_ZONE)
    return said


def standing(bench: type[DeskBench]) -> Callable[..., Any]:
    """How such a bench is put up."""

    @contextmanager
    def make(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
        with bench(folder) as made:
            yield made

    return make
