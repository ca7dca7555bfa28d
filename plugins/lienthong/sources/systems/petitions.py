"""From the words of a system of petitions to ours, by the contract's code maps: the same for every vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.petition import PETITION, PETITION_STEP

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists import Codes
    from lienthong.sources.kit.lists.columns import Columns


def fill(entity: str, columns: Columns, contract: SourceContract) -> None:
    """Codes, agency and flags of a petition or a step, whose words stand in the `…_raw` fields."""
    codes = contract.petition.codes
    columns.made("agency_code", "agency_code_raw", normalise_agency_code)
    if entity == PETITION_STEP.entity:
        columns.coded("status", "status_raw", codes.step or codes.status)
        if "step_no" not in columns.paths:
            columns.chunk.put("step_no", columns.chunk.column("place"))
        return
    columns.coded("status", "status_raw", codes.status)
    columns.coded("classification", "classification_raw", codes.classification)
    columns.chunk.put("complained_again", columns.text("complained_again").is_in(list(codes.complained_again)))


def codes_of(contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
    """Entity → its words that need a code."""
    codes = contract.petition.codes
    removed = dict.fromkeys(codes.removed)
    return {
        PETITION.entity: (
            ("status", "status_raw", {**codes.status, **removed}),
            ("classification", "classification_raw", codes.classification),
        ),
        PETITION_STEP.entity: (("step", "status_raw", codes.step or codes.status),),
    }
