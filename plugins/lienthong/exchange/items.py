"""What a drain holds and does: leased dossiers, the calls made for them, and what the portal said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lienthong.exchange.client import Answer
from lienthong.exchange.replies import Call
from lienthong.exchange.wanted import Wanted, WantedStep
from lienthong.model.codes import DeliveryState


@dataclass(frozen=True)
class Item:
    """One leased dossier, as it is believed at this moment. `acknowledged_before` and `sent_before` (in a turn
    before this one) are about the code it carries now; `standing` is where it stands apart from its lease; `hash` is of
    the payload that is wanted. Of `wanted` only what the claim was for is read: the payload or the steps.
    """

    fence: int
    standing: DeliveryState
    in_doubt: bool
    acknowledged_before: bool
    sent_before: bool
    presence: str
    attempts: int
    hash: bytes | None
    wanted: Wanted

    @property
    def dossier_id(self) -> str:
        return self.wanted.dossier.dossier_id

    @property
    def code(self) -> str:
        return self.wanted.dossier.dossier_code or ""

    @property
    def on_portal(self) -> bool:
        """Whether the portal is known to hold this code."""
        return self.acknowledged_before or self.presence == "present"


@dataclass(eq=False)
class Inquiry:
    """Dossiers that the portal is asked about, to go on together when all is known. `contradicted`: a batch of them was
    told to exist.
    """

    open: int
    contradicted: bool = False
    present: list[Item] = field(default_factory=list)
    absent: list[Item] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Job:
    """One call to the portal: CREATE and UPDATE of `items`, LOOKUP of one, PROGRESS with `steps`."""

    call: Call
    items: tuple[Item, ...]
    steps: tuple[tuple[Item, WantedStep], ...] = ()
    inquiry: Inquiry | None = None


class Move(StrEnum):
    """What becomes of a leased dossier. PRESENT, ABSENT and TAKE_OVER (another program sent it) keep the lease. After a
    look at the portal: LOOKED (nothing wrong is seen), OWE_AGAIN (it shows something else), LOOK_LATER.
    RELEASE: nothing of this turn is on the portal; RELEASE_SENT: an earlier call may still have brought it there.
    """

    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"
    DOUBT = "doubt"
    PRESENT = "present"
    ABSENT = "absent"
    TAKE_OVER = "take_over"
    LOOKED = "looked"
    OWE_AGAIN = "owe_again"
    LOOK_LATER = "look_later"
    RELEASE = "release"
    RELEASE_SENT = "release_sent"


class StepState(StrEnum):
    """Where one step's delivery stands (exchange.step_delivery.state)."""

    OWED = "owed"
    SENDING = "sending"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    UNSETTLED = "unsettled"
    ADOPTED = "adopted"


@dataclass(frozen=True)
class StepResult:
    """What became of one step; `attempts` of it so far."""

    item: Item
    key: str
    state: StepState
    answer: Answer | None
    attempts: int = 0


@dataclass
class Results:
    """What several calls came to, to be written in one transaction."""

    moves: dict[Move, list[tuple[Item, Answer | None]]] = field(default_factory=lambda: defaultdict(list))
    steps: list[StepResult] = field(default_factory=list)

    def add(self, move: Move, items: Iterable[Item], answer: Answer | None = None) -> None:
        self.moves[move].extend((item, answer) for item in items)

    def add_steps(
        self, steps: Sequence[tuple[Item, WantedStep]], state: StepState, answer: Answer | None
    ) -> None:  # fmt: skip
        self.steps.extend(StepResult(item, step.key, state, answer) for item, step in steps)

    def dossier_ids(self) -> list[str]:
        """Every dossier that is written, once."""
        moved = {item.dossier_id for entries in self.moves.values() for item, _ in entries}
        return sorted(moved | {step.item.dossier_id for step in self.steps})


@dataclass(frozen=True)
class Done:
    """What was written: the dossiers that were still ours, by move, and the steps (dossier id, key) by state."""

    moves: dict[Move, set[str]] = field(default_factory=lambda: defaultdict(set))
    steps: dict[StepState, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
