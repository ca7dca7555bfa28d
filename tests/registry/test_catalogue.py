"""The national catalogue into the registry (portal-exchange §3.1; promise 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.exchange.catalogue import read_agencies
from lienthong.exchange.client import PortalClient
from lienthong.exchange.settings import Endpoint
from lienthong.model.errors import CollapsedExtractError, PortalUnreachableError
from lienthong.pipeline.catalogue import sync_through
from lienthong.registry.catalogue import CatalogueSummary, closure, seed_tenants
from simulator.portal import FaultKind, PortalServer
from tests.exchange.world import TENANT, connection_to, settings_with

NOW = datetime(2026, 10, 1, tzinfo=UTC)
TENANTS = ("H17", "H26")


class Edited(PortalClient):
    """The portal's catalogue with some answers changed on the way."""

    drop: frozenset[str] = frozenset()
    renamed: dict[str, str] = {}  # noqa: RUF012
    keep_share = 1.0

    def catalogue(self, service: str, endpoint: Endpoint = Endpoint.SHARE, **parameters: str) -> list[dict[str, Any]]:
        rows = [
            row | {"TENTTHC": self.renamed.get(str(row.get("MATTHC")), row.get("TENTTHC"))} if "MATTHC" in row else row
            for row in super().catalogue(service, endpoint, **parameters)
            if row.get("MATTHC") not in self.drop
        ]
        return rows if service == "LayThuTuc" else rows[: int(len(rows) * self.keep_share)]


def sync(engine: Engine, portal: PortalServer, run_key: str, make: type[PortalClient] = Edited) -> CatalogueSummary:
    with make(connection_to(portal), settings_with(), tenant=TENANT) as client:
        return sync_through(engine, client, TENANTS, run_key, NOW)


def rows(engine: Engine, statement: str) -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(text(statement)))


def snapshot(engine: Engine) -> list[Any]:
    return [
        rows(engine, f"SELECT t::text, t.xmin::text FROM registry.{table} AS t ORDER BY 1")
        for table in ("procedure", "procedure_history", "agency", "agency_closure")
    ]


def test_a_first_sync_fills_the_registry(warehouse: Engine, portal: PortalServer) -> None:
    summary = sync(warehouse, portal, "first")
    listed = [item for item in portal.portal.catalogue.procedures if item.state != "vanished"]
    assert (summary.procedures, summary.changed, summary.vanished) == (len(listed), len(listed), 0)
    held = {row.procedure_code: row for row in rows(warehouse, "SELECT * FROM registry.procedure")}
    assert set(held) == {item.code for item in listed}
    for item in listed:
        row = held[item.code]
        assert (row.name, row.field_code, row.active) == (item.name, item.field.code, item.state == "active")
        assert (row.has_fee, row.returns_paper) == (item.fee > 0, bool(item.result))
        assert (row.max_term_value, row.max_term_unit) == (item.term_days, "Ngày làm việc")
        assert row.levels == [item.level]
        assert row.revision == summary.revision


def test_agencies_form_one_tree_whatever_their_spelling(warehouse: Engine, portal: PortalServer) -> None:
    sync(warehouse, portal, "first")
    agencies = {row.agency_code: row for row in rows(warehouse, "SELECT * FROM registry.agency")}
    assert not [code for code in agencies if code.startswith("000.")]
    assert (agencies["H17"].level, agencies["H17"].parent_code) == ("province", None)
    assert (agencies["H17.05"].level, agencies["H17.05"].parent_code) == ("department", "H17")
    assert agencies["G15"].level == "ministry"
    communes = [row for row in agencies.values() if row.level == "commune"]
    assert communes
    assert {row.tenant for row in communes} == set(TENANTS)
    pairs = rows(warehouse, "SELECT * FROM registry.agency_closure WHERE descendant_code = 'H17.05'")
    assert {(row.ancestor_code, row.depth) for row in pairs} == {("H17.05", 0), ("H17", 1)}


def test_the_same_run_twice_is_one_sync(warehouse: Engine, portal: PortalServer) -> None:
    first = sync(warehouse, portal, "night")
    calls = len(portal.portal.calls)
    assert sync(warehouse, portal, "night") == first
    assert len(portal.portal.calls) == calls
    assert len(rows(warehouse, "SELECT 1 FROM registry.catalogue_sync")) == 1


def test_an_unchanged_catalogue_touches_no_row(warehouse: Engine, portal: PortalServer) -> None:
    sync(warehouse, portal, "first")
    before = snapshot(warehouse)
    summary = sync(warehouse, portal, "second")
    assert (summary.changed, summary.vanished) == (0, 0)
    assert snapshot(warehouse) == before


def test_only_a_changed_procedure_is_written_and_its_old_row_is_kept(warehouse: Engine, portal: PortalServer) -> None:
    first = sync(warehouse, portal, "first")

    class Renamed(Edited):
        renamed = {"1.001193": "Đăng ký khai sinh mới"}  # noqa: RUF012

    second = sync(warehouse, portal, "second", Renamed)
    assert second.changed == 1
    (row,) = rows(warehouse, "SELECT * FROM registry.procedure WHERE revision > 1 OR procedure_code = '1.001193'")
    assert (row.name, row.revision) == ("Đăng ký khai sinh mới", second.revision)
    (old,) = rows(warehouse, "SELECT * FROM registry.procedure_history")
    assert (old.name, old.revision, old.superseded_by) == ("Đăng ký khai sinh", first.revision, second.revision)


def test_a_vanished_procedure_is_flagged_and_comes_back_unharmed(warehouse: Engine, portal: PortalServer) -> None:
    sync(warehouse, portal, "first")

    class Without(Edited):
        drop = frozenset({"1.001193"})

    assert sync(warehouse, portal, "second", Without).vanished == 1
    assert sync(warehouse, portal, "third", Without).vanished == 0
    (row,) = rows(warehouse, "SELECT * FROM registry.procedure WHERE procedure_code = '1.001193'")
    assert (row.vanished, row.active, row.name) == (True, True, "Đăng ký khai sinh")
    assert sync(warehouse, portal, "fourth").changed == 1
    (row,) = rows(warehouse, "SELECT * FROM registry.procedure WHERE procedure_code = '1.001193'")
    assert not row.vanished
    assert len(rows(warehouse, "SELECT 1 FROM registry.procedure_history")) == 2


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_an_empty_or_collapsed_list_changes_nothing(warehouse: Engine, portal: PortalServer, share: float) -> None:
    sync(warehouse, portal, "first")
    before = snapshot(warehouse)

    class Shrunk(Edited):
        keep_share = share

    with pytest.raises(CollapsedExtractError, match="catalogue"):
        sync(warehouse, portal, "second", Shrunk)
    assert snapshot(warehouse) == before
    assert sync(warehouse, portal, "second").changed == 0


def test_a_portal_that_breaks_off_changes_nothing(warehouse: Engine, portal: PortalServer) -> None:
    sync(warehouse, portal, "first")
    before = snapshot(warehouse)
    portal.fail_next("LayThuTuc", FaultKind.HTML_PAGE, 3)
    with pytest.raises(PortalUnreachableError, match="LayThuTuc"):
        sync(warehouse, portal, "second")
    assert snapshot(warehouse) == before


def test_the_34_provinces_are_seeded_once(warehouse: Engine) -> None:
    assert seed_tenants(warehouse) == 34
    assert seed_tenants(warehouse) == 0
    (row,) = rows(warehouse, "SELECT * FROM registry.tenant WHERE tenant = 'H17'")
    assert (row.name, row.admin_code) == ("Đà Nẵng", "48")


def test_two_spellings_of_one_agency_are_one() -> None:
    agencies = read_agencies(
        [
            {"MADONVI": "000.00.00.H37", "TENDONVI": "Lạng Sơn", "CAPDONVI": "1"},
            {"MADONVI": "H37", "TENDONVI": "Lạng Sơn (mới)", "CAPDONVI": "1"},
            {"MADONVI": "000.00.05.H37", "TENDONVI": "Sở Tài chính", "CAPDONVI": "1"},
            {"MADONVI": "H37.100", "TENDONVI": "Xã A", "CAPDONVI": "3"},
            {"MADONVI": "0100100079", "TENDONVI": "EVN", "CAPDONVI": "0"},
            {"MADONVI": "", "TENDONVI": "?", "CAPDONVI": ""},
        ]
    )
    assert {code: (entry.level, entry.parent_code) for code, entry in agencies.items()} == {
        "H37": ("province", None),
        "H37.05": ("department", "H37"),
        "H37.100": ("commune", "H37"),
        "0100100079": ("ministry", None),
    }
    assert sorted(closure(agencies)) == sorted(
        [(code, code, 0) for code in agencies] + [("H37", "H37.05", 1), ("H37", "H37.100", 1)]
    )
    assert replace(agencies["H37"], name="x").tenant == "H37"
