"""The merge statements cover every canonical field: a field added to the model can't be forgotten in SQL."""

from __future__ import annotations

import re

import pytest

from lienthong.model.kinds.dossier import CHILDREN, SPECS, Entity
from lienthong.model.kinds.spec import EntitySpec
from lienthong.warehouse.statements import read


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.entity)
def test_the_record_hash_covers_exactly_the_hashed_fields_in_order(spec: EntitySpec) -> None:
    alias = "d" if spec.entity is Entity.DOSSIER else "c"
    fields = ",".join(f"{alias}.{name}" for name in spec.hashed_names)
    hashed = re.sub(r"\s+", "", read("staging/digest_rows"))
    if spec.entity is not Entity.DOSSIER:
        assert f"ROW(c.child_key,{fields}),0)" in hashed
        return
    for seed, half in enumerate(("low", "high")):
        digests = ",".join(f"{child}_digest.{half}" for child in CHILDREN)
        assert f"ROW({fields},{digests}),{seed})" in hashed


@pytest.mark.parametrize("entity", CHILDREN)
def test_children_are_stored_and_compared_field_by_field(entity: Entity) -> None:
    stored, compared = read(f"dossier/apply_{entity.value}s"), read(f"staging/count_{entity.value}s")
    for name in SPECS[entity].names:
        assert f"c.{name}" in stored
        assert f"believed.{name} IS NOT DISTINCT FROM c.{name}" in compared


def test_a_dossier_is_stored_with_every_field_in_one_of_its_two_tables() -> None:
    records, persons = read("dossier/apply_records"), read("dossier/apply_persons")
    for field in SPECS[Entity.DOSSIER].fields:
        if field.name == "was_not_nfc":
            continue
        assert (f"d.{field.name}" in persons) is field.personal
        assert (f"d.{field.name}" in records) is not field.personal
