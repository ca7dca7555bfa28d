"""`lienthong source …` as it is typed: output, exit codes, connections from the environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner, Result

from devstack.postgres import Postgres
from lienthong.cli import app
from lienthong.model.errors import ArgumentError, ContractError
from lienthong.settings import PROJECT
from lienthong.sources.contract import load_contract
from simulator.opencps.install import install
from simulator.world import World

pytestmark = pytest.mark.xdist_group("source_cli")

DATABASE = "cli_h17"


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> Iterator[str]:
    postgres.drop_database(DATABASE)
    postgres.create_database(DATABASE)
    install(World.generate(7, 120, "2026-10"), "H17", postgres.url(DATABASE))
    yield postgres.url(DATABASE)
    postgres.drop_database(DATABASE)


@pytest.fixture
def folder(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of contracts with Hà Nội's only; the connection of Đà Nẵng's source is in the environment."""
    sources = tmp_path / "sources"
    sources.mkdir()
    shutil.copy(PROJECT / "include" / "sources" / "opencps_h26.yaml", sources)
    monkeypatch.setenv("LIENTHONG_SOURCES", str(sources))
    monkeypatch.setenv("LIENTHONG_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("AIRFLOW_CONN_SRC_OPENCPS_H17", url.replace("postgresql+psycopg2", "postgres"))
    monkeypatch.delenv("AIRFLOW_CONN_LIENTHONG_WAREHOUSE", raising=False)
    return sources


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["source", *words])


def add(*words: str) -> Result:
    return typed("add", "opencps_h17", "--profile", "opencps", "--tenant", "H17", *words)


def test_a_source_is_added_checked_and_found_ready(folder: Path) -> None:
    done = add()
    assert done.exit_code == 0, done.output
    contract = load_contract(folder / "opencps_h17.yaml")
    assert str(folder / "opencps_h17.yaml") in done.output
    assert "lienthong source check opencps_h17" in done.output
    assert contract.connection == "src_opencps_h17"
    done = typed("check", "opencps_h17", "--sample", "50")
    assert done.exit_code == 0, done.output
    assert "✓ Kết nối 'src_opencps_h17' lấy từ biến môi trường AIRFLOW_CONN_SRC_OPENCPS_H17" in done.output
    assert "Nguồn opencps_h17 sẵn sàng" in done.output


def test_json_is_one_document(folder: Path) -> None:
    add()
    done = typed("check", "opencps_h17", "--sample", "0", "--json")
    report = json.loads(done.stdout)
    assert (report["source_id"], report["ok"], done.exit_code) == ("opencps_h17", True, 0)
    assert {line["topic"] for line in report["lines"]} >= {"contract", "connection", "reach", "clock", "zone"}


def test_a_problem_is_exit_code_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add()
    monkeypatch.delenv("AIRFLOW_CONN_SRC_OPENCPS_H17")
    done = typed("check", "opencps_h17")
    assert done.exit_code == 1
    assert "✗ Chưa có kết nối 'src_opencps_h17'" in done.output
    assert "→ đặt biến môi trường AIRFLOW_CONN_SRC_OPENCPS_H17" in done.output
    assert json.loads(typed("check", "opencps_h17", "--json").stdout)["ok"] is False


def test_an_unreadable_connection_is_told_without_its_content(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add()
    monkeypatch.setenv("AIRFLOW_CONN_SRC_OPENCPS_H17", '{"conn_type": "postgres", "password": "geheim"')
    done = typed("check", "opencps_h17")
    assert done.exit_code == 1
    assert "Không hiểu được kết nối" in done.output
    assert "geheim" not in done.output


def test_a_contract_that_is_there_stays(folder: Path) -> None:
    path = folder / "opencps_h17.yaml"
    path.write_text("mine\n")
    done = add()
    assert isinstance(done.exception, ArgumentError)
    assert path.read_text() == "mine\n"
    assert add("--force").exit_code == 0
    assert load_contract(path).tenant == "H17"


def test_a_source_that_does_not_answer_leaves_no_contract(folder: Path, url: str) -> None:
    done = typed("add", "opencps_h18", "--profile", "opencps", "--tenant", "H18")
    assert isinstance(done.exception, ContractError)  # no connection of that name
    assert not (folder / "opencps_h18.yaml").exists()


def test_a_province_that_does_not_exist_is_refused_and_near_codes_are_named(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SRC_OPENCPS_H99", url.replace("postgresql+psycopg2", "postgres"))
    done = typed("add", "opencps_h99", "--profile", "opencps", "--tenant", "H99")
    assert isinstance(done.exception, ContractError)
    assert "Tenant 'H99'" in str(done.exception)
    assert "H19 (Đồng Nai)" in str(done.exception)
    assert not (folder / "opencps_h99.yaml").exists()


@pytest.mark.parametrize(
    ("tenant", "advice"),
    [("h48", "type --tenant H48."), ("Đà Nẵng", "type it like --tenant H17."), ("H4", "type it like --tenant H17.")],
)
def test_what_is_no_code_of_a_tenant_is_told_with_the_one_that_was_meant(
    folder: Path, tenant: str, advice: str
) -> None:
    done = typed("add", "opencps_h48", "--profile", "opencps", "--tenant", tenant)
    assert isinstance(done.exception, ArgumentError)
    assert "one capital letter and two digits, e.g. H17" in done.exception.what
    assert done.exception.next_step == advice


def test_a_ministry_may_be_the_first_source_before_there_is_a_catalogue(folder: Path) -> None:
    done = typed("add", "opencps_g22", "--profile", "opencps", "--tenant", "G22", "--connection", "src_opencps_h17")
    assert done.exit_code == 0, done.output
    done = typed("check", "opencps_g22", "--sample", "0")
    assert done.exit_code == 0, done.output
    assert "! Chưa kiểm tra được mã đơn vị G22" in done.output


def test_nothing_is_written_to_the_source(folder: Path, url: str) -> None:
    def written() -> list[tuple[int, ...]]:
        engine = create_engine(url)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables ORDER BY relname"
            ).all()
        engine.dispose()
        return [tuple(row) for row in rows]

    before = written()
    add()
    typed("check", "opencps_h17", "--sample", "20")
    assert written() == before
