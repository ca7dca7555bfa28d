"""The merge statements are made from the specifications, and cover every field of every kind."""

from __future__ import annotations

import re

import pytest

from devstack.sqlgen.__main__ import SQL
from devstack.sqlgen.generate import generated
from lienthong.model.kinds import KINDS, KindSpec
from lienthong.warehouse.statements import of_kind, read

BY_KIND = [pytest.param(kind, id=kind.name) for kind in KINDS.values()]
CHILDREN = [pytest.param(kind, child, id=child.entity) for kind in KINDS.values() for child in kind.children]


def test_what_is_checked_in_is_what_the_specifications_say() -> None:
    there = {str(path.relative_to(SQL)): path.read_text("utf-8") for path in (SQL / "kinds").rglob("*.sql")}
    assert there == generated(), "run `make sql`"


@pytest.mark.parametrize("kind", BY_KIND)
def test_the_record_hash_covers_exactly_the_hashed_fields_in_order(kind: KindSpec) -> None:
    hashed = re.sub(r"\s+", "", read(of_kind(kind, "digest_rows")))
    fields = ",".join(f"d.{name}" for name in kind.root.hashed_names)
    for seed, half in enumerate(("low", "high")):
        digests = "".join(f",{child.entity}_digest.{half}" for child in kind.children)
        assert f"ROW({fields}{digests}),{seed})" in hashed
    for child in kind.children:
        fields = ",".join(f"c.{name}" for name in child.hashed_names)
        hashed = re.sub(r"\s+", "", read(of_kind(kind, f"digest_{child.entity}")))
        assert f"ROW(c.child_key,{fields}),0)" in hashed
