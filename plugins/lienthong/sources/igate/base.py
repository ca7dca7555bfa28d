"""What the batch before says where the list shows no date of its own: the next load can only be told from it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from lienthong.landing import LandedBatch
from lienthong.model.codes import LoadMode
from lienthong.model.errors import LandingCorruptError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.dating import moment_of
from lienthong.sources.igate.json_paths import find, word
from lienthong.sources.igate.listings import is_open, listing_date, recent_from
from lienthong.sources.igate.mapping import DOSSIER, LISTING, paths_of

_log = logging.getLogger(__name__)

#: Dossiers that stood at the top of the list. A load goes on until most of them were met again.
ANCHORS, MOST_ANCHORS = 50, 0.8
_ROWS = 4_096


@dataclass(frozen=True)
class Expected:
    """A dossier that the batch before holds and this load should meet. `item`: its JSON then."""

    dossier_id: str
    code: str | None
    item: str


class Base:
    """The newest merged batch, made in the same way, that holds all a load has to meet again."""

    def __init__(self, batch: LandedBatch, contract: SourceContract) -> None:
        self._batch = batch
        self._contract = contract

    @classmethod
    def of(cls, batch: LandedBatch | None, contract: SourceContract) -> Base | None:
        """None where there is none: then everything has to be read."""
        if batch is None or batch.manifest.facts.mode is LoadMode.RANGE or LISTING not in batch.manifest.tables:
            return None
        try:
            batch.verify()
        except LandingCorruptError as error:
            _log.warning("The whole list is read: %s", error.what)
            return None
        made = {value for _, _, piece in batch.batches(LISTING, ["changes"]) for value in piece["changes"].to_pylist()}
        return cls(batch, contract) if made == {contract.http.changes} else None

    def anchors(self) -> tuple[str, ...]:
        """The dossiers that stood at the top of the list when that batch was begun, topmost first."""
        for _, _, piece in self._batch.batches(DOSSIER, ["id"], rows=_ROWS):
            return tuple(map(str, piece["id"].to_pylist()[:ANCHORS]))
        return ()

    def open_words(self) -> frozenset[str]:
        """Statuses of dossiers that may still move, as they were written."""
        path = _status(self._contract)
        words = {word(find(item, path)) or "" for _, _, item in self._items()}
        return frozenset(found for found in words if found and is_open(self._contract, found))

    def expected(self, now: datetime) -> Iterator[Expected]:
        """Dossiers that the lists of a load of `now` should show: those that were open, and those of the windows."""
        status, code = _status(self._contract), _path(self._contract, "dossier_code")
        by, first = listing_date(self._contract), recent_from(self._contract, now)
        for dossier_id, text, item in self._items():
            moment = moment_of(find(item, by), self._contract.zone)
            if is_open(self._contract, word(find(item, status)) or "") or (moment is not None and moment >= first):
                yield Expected(dossier_id, word(find(item, code)) or None, text)

    def _items(self) -> Iterator[tuple[str, str, Any]]:
        for _, _, piece in self._batch.batches(DOSSIER, ["id", "item"], rows=_ROWS):
            for dossier_id, text in zip(piece["id"].to_pylist(), piece["item"].to_pylist(), strict=True):
                yield str(dossier_id), str(text), from_json(str(text))


def most_met(anchors: Collection[str], met: int) -> bool:
    """Whether enough of the anchors were met to say that the list is read down to where it began before."""
    return met >= MOST_ANCHORS * len(anchors)


def above_anchors(ids: Iterable[str], anchors: Sequence[str]) -> frozenset[str]:
    """Which dossiers of a list, topmost first, were written to since the anchors stood at its top.

    Everything above the place from which on the anchors follow each other as they did, with nothing between them. Who
    was written to stands above those who were not; that a few of them stand in their old order says nothing.
    """
    listed = list(ids)
    places = {dossier_id: place for place, dossier_id in enumerate(anchors)}
    met = [number for number, dossier_id in enumerate(listed) if dossier_id in places]
    if not met:
        return frozenset(listed)
    end, last = 0, -1
    for number, dossier_id in enumerate(listed[: met[-1] + 1]):
        place = places.get(dossier_id, -1)
        if place < 0:
            end = number + 1
        elif place < last:
            end = number
        last = place
    return frozenset(listed[:end])


def _status(contract: SourceContract) -> tuple[str, ...]:
    return _path(contract, "status_raw")


def _path(contract: SourceContract, field: str) -> tuple[str, ...]:
    return tuple(paths_of(contract, Entity.DOSSIER)[field].split("."))
