"""The province that the tests of the index work in."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.indices.world import World


@pytest.fixture
def world(warehouse: Engine) -> World:
    """Province H17 with department H17.05, idle department H17.01, and communes H17.101 and H17.102."""
    world = World(warehouse)
    world.tenant_row()
    world.agency("H17", "province", name="Đà Nẵng")
    world.agency("H17.01", "department", parent="H17")
    world.agency("H17.05", "department", parent="H17")
    world.agency("H17.101", "commune", parent="H17")
    world.agency("H17.102", "commune", parent="H17")
    world.procedure("1.000001")
    return world
