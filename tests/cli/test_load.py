"""`lienthong load` as it is typed, where a wrong try must end before a load is opened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.model.errors import ContractError, LienThongError
from lienthong.settings import PROJECT


@pytest.fixture
def sources(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one contract; its connection is not set. The command line is pointed at the warehouse."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    shutil.copy(PROJECT / "include" / "sources" / "opencps_h17.yaml", folder)
    url = warehouse.url.render_as_string(hide_password=False).replace("postgresql+psycopg2", "postgres")
    monkeypatch.setenv("AIRFLOW_CONN_LIENTHONG_WAREHOUSE", url)
    monkeypatch.setenv("LIENTHONG_SOURCES", str(folder))
    monkeypatch.setenv("LIENTHONG_VAR", str(tmp_path / "var"))
    monkeypatch.delenv("AIRFLOW_CONN_SRC_OPENCPS_H17", raising=False)
    return folder


def refused(source: str = "opencps_h17") -> LienThongError:
    done = CliRunner().invoke(app, ["load", source])
    assert isinstance(done.exception, LienThongError), done.exception
    return done.exception


def loads(warehouse: Engine) -> int:
    with warehouse.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM ops.load").scalar_one())


def test_a_connection_that_is_not_set_leaves_no_load_behind(sources: Path, warehouse: Engine) -> None:
    assert "export AIRFLOW_CONN_SRC_OPENCPS_H17" in refused().next_step
    assert loads(warehouse) == 0


@pytest.mark.parametrize("text", ['{"conn_type": "postgres", "host": ', "postgres://reader:p@geheim/w@127.0.0.1:1/db"])
def test_a_connection_that_cannot_be_read_leaves_no_load_behind_and_shows_nothing(
    sources: Path, warehouse: Engine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SRC_OPENCPS_H17", text)
    error = refused()
    assert error.key == "src_opencps_h17"
    assert "geheim" not in str(error)
    assert loads(warehouse) == 0


def test_a_missing_contract_is_told_with_the_command_and_without_a_path_of_this_machine(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refused("opencps_h48")
    assert isinstance(error, ContractError)
    assert "lienthong source add opencps_h48" in error.next_step
    assert "the folder that LIENTHONG_SOURCES names" in error.next_step
    assert str(sources) not in str(error)
    monkeypatch.delenv("LIENTHONG_SOURCES")
    error = refused("opencps_h99")
    assert "put opencps_h99.yaml into include/sources/" in error.next_step
    assert str(PROJECT) not in str(error)
