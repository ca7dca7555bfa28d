"""The load ledger: one load per run, the newest claim counts, steps in order."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine

from lienthong.model.codes import LoadMode, LoadState
from lienthong.model.errors import FencedError, LoadStateError
from lienthong.warehouse import ledger
from lienthong.warehouse.ledger import SourceDescription
from tests.warehouse.staged import NOON

SOURCE = SourceDescription("H17", "test", "Test", 10, "own", "0")


def opened(connection: Connection, run_key: str = "a") -> int:
    return ledger.open_load(connection, SOURCE, run_key, mode=LoadMode.INCREMENTAL, window=None, now=NOON)


def finish(connection: Connection, load_id: int, fence: int) -> None:
    load = ledger.read_load(connection, load_id)
    ledger.finish_extract(connection, load, fence, manifest_url=f"memory://{fence}", observed_at=NOON, now=NOON)


def test_the_same_run_is_the_same_load_and_another_run_another(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        assert opened(connection) == opened(connection)
        assert opened(connection, "b") != opened(connection)


def test_only_the_newest_claim_can_finish_an_extract(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        load_id = opened(connection)
        older, newer = ledger.claim_extract(connection, load_id), ledger.claim_extract(connection, load_id)
        assert older is not None
        assert newer is not None
        with pytest.raises(FencedError, match="load"):
            finish(connection, load_id, older)
        finish(connection, load_id, newer)
        load = ledger.read_load(connection, load_id)
        assert (load.state, load.manifest_url) == (LoadState.EXTRACTED, f"memory://{newer}")
        assert ledger.claim_extract(connection, load_id) is None


def test_a_step_out_of_order_is_refused(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        load = ledger.lock_load(connection, opened(connection))
        with pytest.raises(LoadStateError, match="opened, this step needs gated"):
            ledger.require(load, LoadState.GATED)


def test_a_load_that_does_not_exist_is_named(warehouse: Engine) -> None:
    with warehouse.begin() as connection, pytest.raises(LoadStateError, match="load 4711"):
        ledger.read_load(connection, 4711)


def test_what_the_ledger_knows_of_a_source_follows_its_contract(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        opened(connection)
        changed = SourceDescription("H17", "test", "Test", 5, "observe", "1")
        ledger.open_load(connection, changed, "b", mode=LoadMode.FULL, window=None, now=NOON)
        rows = connection.exec_driver_sql("SELECT precedence, mode, contract_hash FROM ops.source").all()
    assert [tuple(row) for row in rows] == [(5, "observe", "1")]


def test_a_changed_title_alone_is_kept_too(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for run_key, title in (("a", "Test"), ("b", "Test, new name")):
            changed = SourceDescription("H17", "test", title, 10, "own", "0")
            ledger.open_load(connection, changed, run_key, mode=LoadMode.FULL, window=None, now=NOON)
        assert connection.exec_driver_sql("SELECT title FROM ops.source").scalar_one() == "Test, new name"
