"""The `sheet` profile, as `sources.profiles` hands it out."""

from __future__ import annotations

from collections import defaultdict

from lienthong.landing import LandedBatch
from lienthong.model.kinds.dossier import DOSSIER
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.lists import ListProfile
from lienthong.sources.profile import UnmappedCode
from lienthong.sources.systems.sheet.system import DroppedSheet


class SheetProfile(ListProfile):
    """People write a dossier down twice: that is told, beside words without a code."""

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        versions: defaultdict[str, set[str]] = defaultdict(set)
        for _, _, raw in batch.batches(DOSSIER.entity, ["key", "item"]):
            for key, item in zip(raw["key"].to_pylist(), raw["item"].to_pylist(), strict=True):
                versions[key or ""].add(str(item))
        twice = sum(1 for key, items in versions.items() if key and len(items) > 1)
        found = super().unmapped_codes(contract, batch)
        return [*found, UnmappedCode("written_twice", "dossier_code", twice)] if twice else found


PROFILE = SheetProfile(DroppedSheet())
