"""The definition is complete, and a mistake in its file is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.indices import Definition, load_definition
from lienthong.model.errors import ContractError
from tests.indices.world import DEFINITION, DEFINITION_FILE


def broken(tmp_path: Path, old: str, new: str) -> str:
    """The error of the definition with one text replaced."""
    body = DEFINITION_FILE.read_text(encoding="utf-8")
    assert body.count(old) >= 1
    path = tmp_path / "typo.yaml"
    path.write_text(body.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_definition(path)
    assert "typo.yaml" in str(caught.value)
    return str(caught.value)


def test_the_definition_lists_every_component_with_its_maximum() -> None:
    assert {(component.id, int(component.max)) for component in DEFINITION.components} == {
        ("1.1", 6), ("1.2", 4), ("1.3", 2), ("1.4", 6), ("2.1", 20), ("2.2", 0), ("3.1", 2), ("3.2", 4), ("3.3", 6),
        ("3.5", 2), ("3.5b", 2), ("3.6", 6), ("4.1", 6), ("4.2", 4), ("4.3", 2), ("4.4", 4), ("4.5a", 2), ("4.5b", 2),
        ("4.6", 2), ("5.1", 0), ("5.2", 6), ("5.3", 6), ("5.4", 6),
    }  # fmt: skip


def test_a_misspelt_key_is_named_with_its_component(tmp_path: Path) -> None:
    assert "components[1.1].maximum" in broken(tmp_path, "    max: 6\n", "    maximum: 6\n")


def test_a_maximum_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    assert "components of group CKMB sum to 17" in broken(tmp_path, "    max: 6\n", "    max: 5\n")


def test_an_unknown_choice_is_refused(tmp_path: Path) -> None:
    message = broken(tmp_path, "compare_due_by: instant", "compare_due_by: hour")
    assert "choices.compare_due_by" in message
    assert "'instant' or 'date'" in message


def test_a_cap_without_a_threshold_is_refused(tmp_path: Path) -> None:
    assert "components[3.1].award" in broken(tmp_path, '{kind: cap, at: "0.80"}', "{kind: cap}")


def test_a_population_that_cannot_be_counted_is_refused(tmp_path: Path) -> None:
    message = broken(tmp_path, "population: received\n", "population: arrived\n")
    assert "components[1.4]" in message
    assert "can't be counted over 'arrived'" in message


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    assert "line " in broken(tmp_path, "groups:", "groups: [")


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"nothing\.yaml can't be used: can't be read"):
        load_definition(tmp_path / "nothing.yaml")


def test_the_hash_follows_the_content_not_the_layout(tmp_path: Path) -> None:
    body = DEFINITION_FILE.read_text(encoding="utf-8")
    path = tmp_path / "copy.yaml"
    path.write_text(f"# another comment\n{body}", encoding="utf-8")
    assert load_definition(path).hash == DEFINITION.hash
    path.write_text(body.replace("from: 90", "from: 91"), encoding="utf-8")
    assert load_definition(path).hash != DEFINITION.hash


def test_a_definition_survives_storage() -> None:
    again = Definition.model_validate_json(DEFINITION.canonical_json())
    assert again == DEFINITION
    assert again.hash == DEFINITION.hash
