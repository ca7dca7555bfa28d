"""The compact plan of one dossier: everything that decides its rows, nothing that can be derived again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from simulator.steps import CLOSING, SPECS, Step


class Trait(IntFlag):
    """Yes-or-no properties of a dossier."""

    VNEID = 1
    POPULATION = 2  # a lookup in the population database (MaCSDL "7")
    DIGITISED = 4
    REUSE_COMPONENT = 8
    REUSE_RESULT = 16
    CITIZEN_STORE = 32
    ELECTRONIC_RESULT = 64
    EXEMPT = 128  # the fee was charged with amount 0
    RETURN_BY_POST = 256
    META_UNKNOWN = 512
    REPLACED_FILE = 1024  # one attachment was removed softly and replaced
    IMPORTED = 2048  # modifiedDate was set from an argument, before createDate
    SUBSTATUS = 4096
    BEFORE_MERGER = 8192  # received under the code of a province that no longer exists


@dataclass(slots=True)
class Plan:
    """One dossier. Instants are naive local seconds (`workdays`), 0 = absent.

    `events` is flat: (step, instant, step, instant, …). `pay`: 0 unpaid, 1 portal, 2 own gateway, 3 cash or transfer.
    `original` is the dossier that a duplicate repeats. `touched` is when all attachment rows were last rewritten;
    `added` are instants at which one more attachment was added without moving the dossier.
    `held_by` is the sectoral system whose dossier a province's own system holds a copy of.
    """

    province: str
    dossier_id: int
    key: int
    procedure: int
    agency: int
    channel: int
    business: bool
    submitted: int
    received: int
    due: int
    extended: int
    events: tuple[int, ...]
    traits: int
    pay: int
    paid: int
    modified: int
    code: str | None = None
    defect: str | None = None
    original: int = 0
    touched: int = 0
    added: tuple[int, ...] = ()
    held_by: str = ""

    @property
    def last_step(self) -> Step:
        return Step(self.events[-2])

    @property
    def last_at(self) -> int:
        return self.events[-1]

    @property
    def closed(self) -> bool:
        return self.events[-2] in CLOSING

    @property
    def status(self) -> str:
        """The portal's status code."""
        return SPECS[self.events[-2]].status

    def has(self, trait: Trait) -> bool:
        return bool(self.traits & trait)

    def moment_of(self, step: Step) -> int:
        """When `step` last happened; 0 = never."""
        found = 0
        for index in range(0, len(self.events), 2):
            if self.events[index] == step:
                found = self.events[index + 1]
        return found
