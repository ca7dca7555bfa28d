"""The fixtures `live`, `loaded` and `moving` over the small world: a module that imports them has these instead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.world import World
from tests.pipeline.conftest import running
from tests.world import MONTH, SEED, SMALL, Live


@pytest.fixture(name="live")
def small_live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A running world with an empty warehouse."""
    with running(request, small=True) as started:
        yield started


@pytest.fixture(name="loaded")
def small_loaded(request: pytest.FixtureRequest, small_loaded_warehouse: str) -> Iterator[Live]:
    """A running world, both provinces loaded once."""
    with running(request, warehouse_template=small_loaded_warehouse, small=True) as started:
        yield started


@pytest.fixture(name="moving")
def small_moving(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A running world of its own, that the test may advance."""
    with running(request, World.generate(SEED, SMALL, MONTH), small=True) as started:
        yield started


__all__ = ["small_live", "small_loaded", "small_moving"]
