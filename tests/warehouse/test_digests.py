"""What is staged is hashed while more is made; the hash does not tell in which order or stretches the rows came."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.warehouse import staging
from tests.warehouse.staged import TENANT, dossier, step, table

FIRST, SECOND = step("1", "11"), step("1", "12", status=4)
DOCUMENT = {"source_key": "1", "child_key": "a", "role": "component"}
Stretches = list[tuple[str, list[dict[str, Any]]]]


def digest(warehouse: Engine, stretches: Stretches) -> tuple[bytes, int]:
    """The hash of dossier 1 when its rows are staged in `stretches`, and how many rows another one replaced."""
    with warehouse.connect() as connection:  # nothing of it is kept
        connection.execute(text("SELECT ops.ensure_tenant('H17')"))
        staging.stage_rows(connection, DOSSIER_KIND, TENANT, 1, [(name, table(name, rows)) for name, rows in stretches])
        [(found,)] = connection.execute(text("SELECT record_hash FROM staging.digest"))
        replaced = connection.execute(text("SELECT count(*) FROM staging.superseded")).scalar_one()
        return bytes(found), int(replaced)


WHOLE: Stretches = [("step", [FIRST, SECOND]), ("document", [DOCUMENT]), ("dossier", [dossier("1")])]


@pytest.mark.parametrize(
    "stretches",
    [
        [("step", [FIRST]), ("document", [DOCUMENT]), ("step", [SECOND]), ("dossier", [dossier("1")])],
        [("step", [FIRST]), ("dossier", [dossier("1")]), ("document", [DOCUMENT]), ("step", [SECOND])],
        [("dossier", [dossier("1")]), ("document", [DOCUMENT]), ("step", [SECOND, FIRST])],
    ],
    ids=["two stretches", "after the dossier", "another order"],
)
def test_rows_in_several_stretches_give_the_hash_of_one(warehouse: Engine, stretches: Stretches) -> None:
    assert digest(warehouse, stretches) == digest(warehouse, WHOLE)


def test_a_row_is_replaced_by_one_of_a_later_stretch(warehouse: Engine) -> None:
    old = step("1", "12", status=2)
    stretches = [("step", [FIRST, old]), ("document", [DOCUMENT]), ("step", [SECOND]), ("dossier", [dossier("1")])]
    assert digest(warehouse, stretches) == (digest(warehouse, WHOLE)[0], 1)


def test_a_row_less_is_another_hash(warehouse: Engine) -> None:
    assert digest(warehouse, [("step", [FIRST]), *WHOLE[1:]]) != digest(warehouse, WHOLE)
