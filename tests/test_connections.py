"""Connections of the command line: what AIRFLOW_CONN_… may hold, and what is said of one that can't be used."""

from __future__ import annotations

import json
import traceback

import pytest

from lienthong.connections import UnreadableConnectionError, from_environment
from lienthong.model.errors import ContractError, TerminalError

VARIABLE = "AIRFLOW_CONN_SRC_OPENCPS_H17"
SECRET = "gehei"


def resolve(monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[object, ...]:
    monkeypatch.setenv(VARIABLE, text)
    found = from_environment("src_opencps_h17")
    return found.kind, found.host, found.port, found.login, found.password, found.schema, dict(found.extra)


def refused(monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """The error's sentence; nothing of `text` may show, not even in a traceback."""
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(UnreadableConnectionError) as caught:
        from_environment("src_opencps_h17")
    assert isinstance(caught.value, TerminalError)
    assert caught.value.key == "src_opencps_h17"
    assert VARIABLE in caught.value.next_step
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"conn_type": "postgres", "host": ', "not valid JSON"),
        ('{"conn_type": "postgres", "password": "gehei"', "not valid JSON"),
        ('{"host": "h", "password": "gehei"}', "no conn_type"),
        ('{"conn_type": "postgres", "port": "gehei"}', "port is not a number"),
        ('{"conn_type": "postgres", "port": 99999}', "port is not a number"),
        ('{"conn_type": "postgres", "port": [1]}', "port is not a number"),
        ('{"conn_type": "postgres", "password": 12}', "password is not text"),
        ('{"conn_type": "postgres", "extra": "gehei"}', "not valid JSON"),
        ('{"conn_type": "postgres", "extra": ["gehei"]}', "extra is not a JSON object"),
        ("postgres://reader:gehei@h:abc/db", "port is not a number"),
        ("db.example:5432", "neither a URI nor JSON"),
        ("'postgres://reader:gehei@h/db'", "neither a URI nor JSON"),
        ("postgres://reader:gehe[@h/db", "not a URI"),
    ],
)
def test_a_connection_that_cannot_be_read_is_told_by_id_and_never_by_content(
    monkeypatch: pytest.MonkeyPatch, text: str, what: str
) -> None:
    assert what in refused(monkeypatch, text)


@pytest.mark.parametrize(
    "password", ["p@gehei", "p@gehei/w", "p/gehei", "5/gehei", "5#gehei", "5?gehei", "p#gehei", "p@gehei?w"]
)
def test_a_password_with_a_special_character_is_not_taken_for_a_host(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    assert "%40 (@)" in refused(monkeypatch, f"postgres://reader:{password}@db.example:5432/opencps")


def test_an_encoded_password_is_read_as_it_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    found = resolve(monkeypatch, "postgres://reader:p%40ss%2Fw%23%3F%25@db.example:5432/opencps?sslmode=require")
    assert found == ("postgres", "db.example", 5432, "reader", "p@ss/w#?%", "opencps", {"sslmode": "require"})


def test_json_takes_any_password_and_a_port_in_quotation_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"conn_type": "mysql", "host": "h", "port": "3306", "password": "p@/s#", "extra": '{"driver": "x"}'}
    assert resolve(monkeypatch, json.dumps(fields)) == ("mysql", "h", 3306, None, "p@/s#", None, {"driver": "x"})
    assert resolve(monkeypatch, '{"conn_type": "postgres"}') == ("postgres", None, None, None, None, None, {})


def test_a_connection_that_is_not_set_is_asked_for_in_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ContractError) as caught:
        from_environment("src_opencps_h17")
    assert caught.value.next_step.startswith(f"the command line reads the environment only: export {VARIABLE}")
    assert "Admin" not in str(caught.value)
