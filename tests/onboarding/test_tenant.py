"""A tenant that does not exist: found before its first load, refused at it, and no harm to the others' scores."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from lienthong.indices import scores
from lienthong.model.errors import ContractError, NotReadyError
from lienthong.onboarding.add_source import add_source
from lienthong.onboarding.check import check
from lienthong.onboarding.lines import Level, Line
from lienthong.pipeline.load import extract, open_load, stage
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.score import score
from tests.world import MONTH, PROVINCES, Live

pytestmark = pytest.mark.xdist_group("tenant")

MINISTRY = "G22"


def contract_of(live: Live, tenant: str) -> str:
    """A contract for another tenant, over Đà Nẵng's database; its source id."""
    folder: Path = live.settings.sources
    source = f"opencps_{tenant.lower()}"
    written = (folder / "opencps_h17.yaml").read_text(encoding="utf-8")
    written = written.replace("H17", tenant).replace("opencps_h17", source).replace("portal_h17", "portal_other")
    (folder / f"{source}.yaml").write_text(written, encoding="utf-8")
    live.connections[f"src_{source}"] = replace(live.connections["src_opencps_h17"], conn_id=f"src_{source}")
    return source


def change(live: Live, *statements: str) -> None:
    with live.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def tenant_line(live: Live, source: str, rt: Runtime | None = None) -> Line:
    (line,) = [line for line in check(rt or live.rt, source, 0).lines if line.topic == "tenant"]
    return line


def loads_of(live: Live, tenant: str) -> list[tuple[object, ...]]:
    return live.rows("SELECT load_id FROM ops.load WHERE tenant = :tenant", tenant=tenant)


def test_a_tenant_without_listed_agencies_is_left_out_of_the_scores_with_a_warning(
    loaded: Live, caplog: pytest.LogCaptureFixture
) -> None:
    change(loaded, "SELECT ops.ensure_tenant('H99')", "UPDATE ops.tenant SET merges = 1 WHERE tenant = 'H99'")
    with caplog.at_level(logging.WARNING):
        run_id = score(loaded.rt, MONTH, "with-h99")
    assert {unit.agency_code for unit in scores(loaded.engine, run_id).provinces} == set(PROVINCES)
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [message for message in warned if "H99" in message and "no listed agencies" in message]
    assert not [message for message in warned if "H17" in message]


def test_it_is_an_error_when_no_loaded_tenant_can_be_scored(loaded: Live) -> None:
    change(loaded, "UPDATE registry.agency SET listed = false")
    with pytest.raises(NotReadyError, match=r"key H17, H26.*catalogue_sync"):
        score(loaded.rt, MONTH, "nobody")


def test_a_load_of_a_tenant_that_the_catalogue_does_not_know_is_not_opened(loaded: Live) -> None:
    source = contract_of(loaded, "H99")
    with pytest.raises(ContractError, match=r"source opencps_h99.*'H99'.*Near codes: .*H19 \(Đồng Nai\)"):
        open_load(loaded.rt, source, "first")
    assert loads_of(loaded, "H99") == []
    assert loaded.rows("SELECT 1 FROM ops.tenant WHERE tenant = 'H99'") == []


def test_before_the_first_catalogue_any_load_may_be_opened(live: Live) -> None:
    assert open_load(live.rt, contract_of(live, "H99"), "first") > 0


def test_a_province_whose_agencies_nobody_listed_yet_may_be_loaded(loaded: Live) -> None:
    change(loaded, "DELETE FROM registry.agency WHERE tenant = 'H18'")
    assert open_load(loaded.rt, contract_of(loaded, "H18"), "first") > 0


def test_a_check_finds_a_tenant_that_does_not_exist(loaded: Live) -> None:
    line = tenant_line(loaded, contract_of(loaded, "H99"))
    assert line.level is Level.PROBLEM
    assert "H99" in line.text
    assert "H19 (Đồng Nai)" in line.data["near"]
    assert tenant_line(loaded, "opencps_h17").level is Level.OK


def test_a_ministry_is_known_by_the_catalogue_and_only_by_it(loaded: Live) -> None:
    change(
        loaded,
        "DELETE FROM registry.agency WHERE tenant = 'G22'",
        "INSERT INTO registry.agency (agency_code, tenant, name, level) VALUES ('G22', 'G22', 'Bộ', 'ministry')",
    )
    source = contract_of(loaded, MINISTRY)
    assert tenant_line(loaded, source).level is Level.OK
    assert open_load(loaded.rt, source, "first") > 0
    other = tenant_line(loaded, contract_of(loaded, "G29"))
    assert other.level is Level.PROBLEM
    assert "G22" in other.data["near"]


def test_before_the_catalogue_a_ministry_is_a_warning_and_a_wrong_province_a_problem(live: Live) -> None:
    assert tenant_line(live, contract_of(live, MINISTRY)).level is Level.WARNING
    assert tenant_line(live, contract_of(live, "H99")).level is Level.PROBLEM
    del live.connections["lienthong_warehouse"]
    assert tenant_line(live, "opencps_g22").level is Level.WARNING


def test_no_contract_is_written_for_a_tenant_that_does_not_exist(loaded: Live) -> None:
    loaded.connections["src_new"] = replace(loaded.connections["src_opencps_h17"], conn_id="src_new")
    for tenant in ("H99", "Z99"):
        with pytest.raises(ContractError, match=f"'{tenant}' is neither in the national catalogue nor"):
            add_source(loaded.rt, "new", "opencps", tenant, "src_new")
    assert not (loaded.settings.sources / "new.yaml").exists()


def rewrite(live: Live, source: str, *changes: tuple[str, str]) -> None:
    path = live.settings.sources / f"{source}.yaml"
    written = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in written
        written = written.replace(old, new)
    path.write_text(written, encoding="utf-8")


def test_a_source_whose_contract_clashes_with_another_is_not_loaded(loaded: Live) -> None:
    source, before = contract_of(loaded, "H48"), loads_of(loaded, "H26")
    rewrite(loaded, source, ("H48", "H26"))
    with pytest.raises(ContractError, match=r"source opencps_h48.*tenant H26 has two sources of precedence 10"):
        open_load(loaded.rt, source, "first")
    assert loads_of(loaded, "H26") == before
    (line,) = [line for line in check(loaded.rt, source, 0).lines if line.topic == "contract"]
    assert line.level is Level.PROBLEM
    assert "two sources of precedence 10" in line.text


def test_a_broken_contract_beside_it_stops_no_healthy_source(loaded: Live) -> None:
    rewrite(loaded, "opencps_h26", ("mode:", "moed:"))
    assert open_load(loaded.rt, "opencps_h17", "next") > 0
    (line,) = [line for line in check(loaded.rt, "opencps_h17", 0).lines if line.topic == "contract"]
    assert line.level is Level.OK


def test_a_source_does_not_move_to_another_tenant(loaded: Live) -> None:
    rewrite(loaded, "opencps_h17", ("tenant: H17", "tenant: H48"), ("portal_h17", "portal_h48"))
    with pytest.raises(ContractError, match=r"source opencps_h17, key tenant.* H48.* H17 before.*new source id"):
        open_load(loaded.rt, "opencps_h17", "moved")
    assert loads_of(loaded, "H48") == []
    assert loaded.rows("SELECT 1 FROM ops.tenant WHERE tenant = 'H48'") == []
    line = tenant_line(loaded, "opencps_h17")
    assert line.level is Level.PROBLEM
    assert (line.data["tenant"], line.data["home"]) == ("H48", "H17")


def test_a_source_that_moved_in_the_past_may_only_go_back(loaded: Live) -> None:
    change(
        loaded,
        "INSERT INTO ops.source SELECT 'H48', source_id, title, precedence, mode, contract_hash FROM ops.source "
        "WHERE source_id = 'opencps_h17'",
        "INSERT INTO ops.load (tenant, source_id, run_key, mode, state, contract_hash, opened_at, merged_at) "
        "VALUES ('H48', 'opencps_h17', 'moved', 'incremental', 'merged', '', now(), now())",
    )
    assert open_load(loaded.rt, "opencps_h17", "back") > 0
    rewrite(loaded, "opencps_h17", ("tenant: H17", "tenant: H48"), ("portal_h17", "portal_h48"))
    with pytest.raises(ContractError, match="loaded for tenant H17 before"):
        open_load(loaded.rt, "opencps_h17", "moved again")


def test_the_tenant_of_a_source_that_never_loaded_anything_can_be_corrected(loaded: Live) -> None:
    source = contract_of(loaded, "H18")
    assert open_load(loaded.rt, source, "first") > 0
    rewrite(loaded, source, ("tenant: H18", "tenant: H19"), ("portal_other", "portal_h19"))
    assert open_load(loaded.rt, source, "second") > 0
    assert tenant_line(loaded, source).level is Level.OK


def test_a_tenant_that_is_changed_while_its_load_is_under_way_stops_the_load(loaded: Live) -> None:
    source = contract_of(loaded, "H18")
    load = open_load(loaded.rt, source, "first")
    extract(loaded.rt, load)
    rewrite(loaded, source, ("tenant: H18", "tenant: H19"), ("portal_other", "portal_h19"))
    with pytest.raises(ContractError, match=rf"load {load}, key tenant\] The load was opened for H18.* says H19"):
        stage(loaded.rt, load)
