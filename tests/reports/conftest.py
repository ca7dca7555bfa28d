"""A score table with everything in it that a report must show."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from lienthong.indices import ScoreTable
from lienthong.model.capabilities import Capability
from tests.indices.world import Dossier, Paper, World, at


@pytest.fixture
def table(warehouse: Engine) -> ScoreTable:
    """Two provinces: Đà Nẵng with fourteen communes (two idle) and an idle department, Hà Nội with one overdue
    department and a source that tells nothing of online services."""
    later = at("2026-12-01")
    danang = World(warehouse)
    danang.tenant_row()
    danang.agency("H17", "province", name="Thành phố Đà Nẵng")
    danang.agency("H17.01", "department", parent="H17", name="Văn phòng Ủy ban nhân dân thành phố")
    danang.agency("H17.05", "department", parent="H17", name="Sở Tài chính")
    for number in range(14):
        danang.agency(f"H17.{101 + number}", "commune", parent="H17", name=f"Phường số {number + 1}")
    danang.procedure("1.000001", has_fee=True)
    danang.service("H17.05", "1.000001", 4)
    danang.put(
        *(Dossier(f"late{number}", agency=f"H17.{101 + number}") for number in range(12)),
        Dossier(
            "whole", due=later, channel=2, papers=(Paper(from_store=True), Paper("result", result_code="KQ.1")),
            fees=(20000,), online_payment=1, acknowledged=True, digitised=True,
        ),
        Dossier("plain", due=later),
        Dossier("commune", agency="H17.110", due=later, acknowledged=True),
    )  # fmt: skip
    danang.national_report("H17.110", "2026-10", 2, at("2026-11-02"))
    hanoi = World(warehouse, "H26")
    hanoi.tenant_row()
    hanoi.agency("H26", "province", name="Ủy ban nhân dân thành phố Hà Nội")
    hanoi.agency("H26.05", "department", parent="H26", name="Sở Tài chính")
    hanoi.put(Dossier("h", agency="H26.05"))
    hanoi.source("dossiers_only", *(set(Capability) - {Capability.SERVICES}))
    return danang.score(tenants=("H17", "H26"))
