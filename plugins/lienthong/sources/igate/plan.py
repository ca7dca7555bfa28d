"""What a load is to read: from when on, which lists, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lienthong.landing import LandedBatch, Watermark
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.igate.base import Base
from lienthong.sources.igate.dating import Changes
from lienthong.sources.igate.listings import WHOLE, Listing, open_dossiers, recent_from, windows
from lienthong.sources.igate.mapping import DOSSIER
from lienthong.sources.profile import Window


@dataclass(frozen=True)
class Plan:
    """`since`: what moved before is not wanted; None: everything is. `base`: the batch before, where the list shows no
    date. `listings` are read one after the other."""

    mode: LoadMode
    changes: Changes
    since: datetime | None
    window: Window | None
    base: Base | None
    listings: tuple[Listing, ...]

    @classmethod
    def of(
        cls,
        contract: SourceContract,
        mode: LoadMode,
        window: Window | None,
        before: Watermark | None,
        earlier: LandedBatch | None,
        now: datetime,
    ) -> Plan:
        """`before`: how far the last load read, if that can be trusted."""
        changes = Changes(contract.http.changes)
        blind = changes is not Changes.UPDATED_DATE
        base = Base.of(earlier, contract) if blind and mode is LoadMode.INCREMENTAL else None
        since: datetime | None = None
        if changes is Changes.WINDOWS:
            pass
        elif window is not None:
            since = window.start
        elif mode is LoadMode.INCREMENTAL and before is not None and before.modified_at is not None:
            since = before.modified_at - contract.overlap if base or not blind else None
        return cls(mode, changes, since, window, base, _listings(contract, changes, window, base, now))

    @property
    def blind(self) -> bool:
        """Whether the list doesn't show the date that it is sorted by."""
        return self.changes is not Changes.UPDATED_DATE

    @property
    def mark(self) -> str:
        """The name of the watermark: how far one way of reading got says nothing to another."""
        return mark_of(self.changes)

    def digest(self, contract: SourceContract, url: str) -> str:
        """What an unfinished read must have in common with this one to be continued."""
        http, window = contract.http, self.window
        return digest(
            [
                self.mode.value,
                [self.since.isoformat() if self.since else None, window.end.isoformat() if window else None],
                [sorted(contract.dossier.entities), http.details],
                [self.changes.value, http.sort, http.query, http.window_by, http.window_months, self.base is not None],
                url,
            ]
        )


def mark_of(changes: Changes) -> str:
    """The watermark's name for a way of reading."""
    return DOSSIER if changes is Changes.UPDATED_DATE else f"{DOSSIER}.{changes.value}"


def _listings(
    contract: SourceContract, changes: Changes, window: Window | None, base: Base | None, now: datetime
) -> tuple[Listing, ...]:
    if changes is not Changes.WINDOWS or (window is None and base is None):
        return (WHOLE,)
    if window is not None:
        months = windows(contract, recent_from(contract, window.start), min(window.end, now))
        return (*months, *open_dossiers(contract))
    assert base is not None, "told apart above"
    return (*windows(contract, recent_from(contract, now), now), *open_dossiers(contract, base.open_words()))
