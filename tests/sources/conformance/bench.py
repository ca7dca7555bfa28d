"""What the suite asks of every source: facts to put it through, and a bench on which its system can be made to do them.

A bench is a real simulated system, its contract, and the truth. What a system cannot do, or shows otherwise than most,
it declares with a reason; the suite then asserts what was declared.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol

import yaml

from lienthong.connections import Connection
from lienthong.model.kinds import KINDS, KindSpec
from lienthong.settings import PROJECT

#: Entity → key → field → value. The key of a child begins with its root's: (root key, anything that tells it apart).
Fields = dict[str, Any]
Truth = dict[str, dict[Any, Fields]]


class Fact(StrEnum):
    """What happens to a source: the columns of the matrix."""

    FIRST = "first load"
    AGAIN = "nothing new"
    REREAD = "full re-read"
    ADDED = "added"
    CHANGED = "changed"
    CHILD_CHANGED = "only a child changed"
    TOUCHED = "touched"
    LATE = "imported late"
    OLD = "imported with an old date"
    BINNED = "deleted softly"
    REMOVED = "deleted"
    MOVED = "moved while read"
    NEW_KEY = "drift: new"
    LOST_KEY = "drift: lost"
    RENAMED_KEY = "drift: renamed"
    CUT = "answer cut"
    ERROR_PAGE = "error page for data"
    AWAY = "system away"
    REFUSED = "access refused"
    EXPIRED = "log-in expired while read"
    COLLAPSED = "collapsed"
    EMPTIED = "emptied"
    REPEATED = "page repeated"
    SHIFTED = "page shifted"
    CLOCK_AHEAD = "clock an hour ahead"
    CLOCK_BEHIND = "clock an hour behind"
    KILLED = "killed and resumed"
    TEXTS = "odd texts"
    NUL = "NUL"
    UNKNOWN_CODE = "unknown code"
    PAGES = "page size kept"
    PAUSES = "pauses kept"
    HOURS = "hours kept"


class Verdict(StrEnum):
    """What becomes of it."""

    KEPT = "✓"  # as the sentence of the test says, with the next load
    LATER = "full"  # with the next load that reads everything
    UNSEEN = "unseen"  # the system doesn't show it
    STOPS = "stops"  # the load fails with one clear error, nothing is believed
    TOLD = "told"  # the load goes on, a finding tells it
    IMPOSSIBLE = "–"  # can't happen in such a system


@dataclass(frozen=True)
class Habit:
    """What a source does about a fact, and why it isn't what most do."""

    verdict: Verdict
    why: str = ""


#: What is expected of a source that declares nothing.
USUAL: Mapping[Fact, Verdict] = {
    **dict.fromkeys(Fact, Verdict.KEPT),
    Fact.REMOVED: Verdict.LATER,  # told by the load that reads everything
    Fact.NEW_KEY: Verdict.TOLD,
    Fact.LOST_KEY: Verdict.STOPS,
    Fact.RENAMED_KEY: Verdict.STOPS,
    Fact.CUT: Verdict.STOPS,
    Fact.ERROR_PAGE: Verdict.STOPS,
    Fact.AWAY: Verdict.STOPS,
    Fact.COLLAPSED: Verdict.STOPS,
    Fact.EMPTIED: Verdict.STOPS,
    Fact.REFUSED: Verdict.STOPS,
}


@dataclass(frozen=True)
class Passage:
    """One request or statement on its way to the system. `at`: seconds of the monotonic clock."""

    at: float
    what: str


Matches = Callable[[Passage], bool]


class Tap(Protocol):
    """Stands between us and the system: remembers what was asked for, and breaks answers to order."""

    @property
    def log(self) -> list[Passage]: ...

    def when(self, matches: Matches, number: int, action: Callable[[], object]) -> None:
        """Run `action` before the `number`-th matching request from now on is passed on, once."""

    def cut(self, matches: Matches) -> None:
        """From now on every answer to such a request ends in the middle."""

    def garble(self, matches: Matches) -> None:
        """From now on such a request is answered with a proxy's page, and status 200. NotImplementedError where nothing
        can stand between."""

    def heal(self) -> None:
        """No hooks and faults any more."""


class Bench(ABC):
    """One source under test. Use as a context manager: the system runs inside.

    Mutating methods return the key of the record they happened to, never one that something happened to before.
    `truth` follows them: it is what ought to be believed of what the system holds now.
    """

    name: ClassVar[str]
    profile: ClassVar[str]
    #: Contract below include/sources.
    source_id: ClassVar[str]
    habits: ClassVar[Mapping[Fact, Habit]] = {}
    #: Free texts of a root record in which odd ones are put; the first are personal where there are such.
    texts: ClassVar[Sequence[str]]
    #: The code in whose place an unknown word is put, and how such words are called in findings.
    code: ClassVar[tuple[str, str]] = ("status", "status")
    #: Names that the finding of a new column or key may have.
    new_key: ClassVar[str]
    #: Rows of a page in the suite's contract.
    page_rows: ClassVar[int] = 10

    tap: Tap

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, Fields] = {}
        self.touched: set[str] = set()

    @classmethod
    def habit(cls, fact: Fact) -> Habit:
        return cls.habits.get(fact) or Habit(USUAL[fact])

    @abstractmethod
    def __enter__(self) -> Bench: ...

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...

    @property
    @abstractmethod
    def connection(self) -> Connection:
        """How the system is reached, through the tap."""

    @property
    @abstractmethod
    def wrong_connection(self) -> Connection:
        """The same with the password `SECRET`, which is wrong."""

    @property
    def away_connection(self) -> Connection:
        """The same, where nobody answers."""
        return replace(self.connection, port=1)

    @abstractmethod
    def true(self) -> Truth:
        """What the system holds, without what was written over it (`said`)."""

    @abstractmethod
    def is_page(self, passage: Passage) -> bool:
        """Whether this asks for a page of root records."""

    @abstractmethod
    def page_size(self, passage: Passage) -> int:
        """How many root records such a request asks for at most."""

    # What happens ------------------------------------------------------------------------------------------------

    @abstractmethod
    def day(self) -> Mapping[Fact, Sequence[str]]:
        """A day goes by: keys by what happened to them (ADDED, CHANGED, CHILD_CHANGED, TOUCHED, LATE)."""

    @abstractmethod
    def change(self) -> str:
        """One record that an incremental load would not read again changes now."""

    @abstractmethod
    def import_old(self) -> str:
        """A new record whose modification lies before the overlap."""

    @abstractmethod
    def bin(self) -> str:
        """A record is deleted softly."""

    @abstractmethod
    def remove(self) -> str:
        """A record is deleted."""

    @abstractmethod
    def remove_most(self) -> None:
        """Most records of the overlap window are deleted."""

    @abstractmethod
    def remove_all(self) -> None:
        """All records are deleted."""

    @abstractmethod
    def write(self, field: str, text: str) -> str:
        """A text is changed to `text` in one record; `said` knows what is to be believed."""

    @abstractmethod
    def drift(self, fact: Fact) -> None:
        """A column or key appears, is lost, or gets another name."""

    @abstractmethod
    def undo_drift(self) -> None: ...

    @abstractmethod
    def turn_clock(self, ahead: timedelta) -> None:
        """The system's clock is put `ahead` of the right time, and dates what happens from now on."""

    def repeat_page(self, *, for_good: bool) -> None:
        """The next page after the first shows the rows of the one before (once, or from now on always)."""
        raise NotImplementedError

    def end_session(self) -> None:
        """Whatever log-in the system has given so far is worth nothing any more."""
        raise NotImplementedError

    def shift_page(self) -> None:
        """Before the second page is read, `SHIFT` rows above it vanish: the others slide up, some would be missed."""
        raise NotImplementedError

    # What the suite makes of it ------------------------------------------------------------------------------------

    @property
    def kind(self) -> KindSpec:
        return KINDS[self.kind_of_records()]

    @classmethod
    def kind_of_records(cls) -> str:
        """Name of the kind: the section that the contract has."""
        [name] = set(KINDS) & set(cls.document())
        return name

    @classmethod
    def document(cls) -> dict[str, Any]:
        """The contract as it comes, decoded."""
        text = (PROJECT / "include" / "sources" / f"{cls.source_id}.yaml").read_text(encoding="utf-8")
        return dict(yaml.load(text, Loader=_Words))

    def contract(self, overlap: str | None = None, **changes: Mapping[str, Any]) -> str:
        """The contract with small pages, impatient, and with `changes` (section → key → value)."""
        document = self.document()
        document["overlap"] = overlap or document["overlap"]
        hasty = {"read": {"page_rows": self.page_rows, "key_rows": self.page_rows}, **self.hasty()}
        for section in (hasty, changes):
            for name, values in section.items():
                document[name] = {**document.get(name, {}), **values}
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)

    def hasty(self) -> dict[str, dict[str, Any]]:
        """Sections of the contract that make tests quick."""
        return {}

    def truth(self) -> Truth:
        """What ought to be believed of what the system holds now."""
        found = self.true()
        root = found[self.kind.root.entity]
        for key, fields in self.said.items():
            if key in root:
                root[key] = {**root[key], **fields}
        return found

    def note(self, key: str, field: str, text: str) -> str:
        """`text` was written; returns the key. An unknown word stands for no code."""
        name, _ = self.code
        self.said[key] = {name: None, f"{name}_raw": text} if field == name else {field: composed(text)}
        return key

    def keys(self) -> list[str]:
        """Keys of all root records that are there."""
        return sorted(self.true()[self.kind.root.entity])


def composed(text: str) -> str:
    """A text as it is to be believed: composed Unicode, no NUL, no space around it."""
    return unicodedata.normalize("NFC", text.replace("\x00", "")).strip()


#: How many rows vanish above a page.
SHIFT = 4
#: Stands in wrong passwords; must never be told.
SECRET = "mật-khẩu-sai-7"


class _Words(yaml.SafeLoader):
    """As contracts are read: keys stay the text that was written, and so does all but truths, numbers and nulls."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        return {str(key.value): self.construct_object(value, deep=True) for key, value in node.value}


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?[0-9]+\.[0-9]+$", list("-+0123456789")),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    _Words.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
