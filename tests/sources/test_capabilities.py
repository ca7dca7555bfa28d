"""What a source can tell: by its kind, and by what its contract reads."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.model.capabilities import Capability
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.profiles import profile_of
from tests.contracts import changed
from tests.sources.igate import REPO

IGATE, OPENCPS = "igate_h21", "opencps_h17"


def contract(source_id: str, **changes: Any) -> SourceContract:
    return changed(load_contract(REPO / f"include/sources/{source_id}.yaml"), **changes)


def told(source: SourceContract) -> frozenset[Capability]:
    return profile_of(source).capabilities(source)


def test_an_opencps_tells_everything_and_an_igate_everything_but_services() -> None:
    assert told(contract(OPENCPS)) == set(Capability)
    assert told(contract(IGATE)) == set(Capability) - {Capability.SERVICES}


def test_an_opencps_without_its_tables_of_services_tells_of_none() -> None:
    for table in ("opencps_serviceinfo", "opencps_serviceconfig"):
        assert told(contract(OPENCPS, ignore={table: ("*",)})) == set(Capability) - {Capability.SERVICES}


@pytest.mark.parametrize(
    ("source_id", "lost"),
    [(OPENCPS, {Capability.FEES, Capability.ONLINE_PAYMENT}), (IGATE, {Capability.FEES})],
)
def test_fees_that_are_not_read_are_not_told(source_id: str, lost: set[Capability]) -> None:
    """An OpenCPS tells by its payments what was paid online, an iGate by the dossier."""
    full = contract(source_id)
    without = contract(
        source_id, entities=tuple(entity for entity in full.section.entities if entity is not Entity.FEE)
    )
    assert told(full) - told(without) == lost


@pytest.mark.parametrize("source_id", [OPENCPS, IGATE])
def test_papers_that_are_not_read_tell_nothing_of_documents_and_the_citizen_s_store(source_id: str) -> None:
    full = contract(source_id)
    without = contract(
        source_id, entities=tuple(entity for entity in full.section.entities if entity is not Entity.DOCUMENT)
    )
    assert told(full) - told(without) == {Capability.DOCUMENTS, Capability.CITIZEN_STORE}


@pytest.mark.parametrize(("source_id", "where"), [(OPENCPS, "extensions"), (IGATE, "fields")])
def test_what_only_a_contract_finds_is_told_only_by_contracts_that_say_where(source_id: str, where: str) -> None:
    assert told(contract(source_id)) - told(contract(source_id, **{where: {}})) == {
        Capability.REUSE, Capability.CITIZEN_STORE, Capability.CITIZEN_DATA,
    }  # fmt: skip
