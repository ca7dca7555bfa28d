"""A warehouse with a tenant, an agency and a small catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from devstack.postgres import Postgres
from tests.quality.staged import prepare


@pytest.fixture
def prepared(warehouse: Engine) -> Engine:
    prepare(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def shared(postgres: Postgres, warehouse_template: str) -> Iterator[Engine]:
    """One prepared warehouse for a module whose tests only read what one fixture did."""
    name = "quality_shared"
    postgres.drop_database(name)
    postgres.create_database(name, warehouse_template)
    engine = create_engine(postgres.url(name))
    prepare(engine)
    yield engine
    engine.dispose()
    postgres.drop_database(name)
