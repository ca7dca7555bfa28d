"""Texts and words as people type them: nothing is lost, nothing is guessed, nothing personal is told."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import pytest

from tests.sources.conformance.bench import Fact, Truth, composed
from tests.sources.conformance.conftest import Yard
from tests.sources.conformance.rig import Rig

#: Stands in every odd text; must not be found outside of what may hold personal values.
MARK = "Trần Bí Mật"
ODD = {
    "decomposed": unicodedata.normalize("NFD", "Nguyễn Thị Ngọc Ánh, thửa đất số 5"),
    "four bytes": "Giấy 🏠 𠀀 nhà",
    "right to left": "ملف \u202eעברית\u202c",
    "quotes": 'L\'Oréal "Việt" `Nam` «X» \\ // --',
    "of CSV": 'a;b,"c"\td\r\ne\nf',
    "of JSON": '{"a": [1, null], "b": "\\u0041\\n"}',
    "of XML": "<b>&amp;</b> ]]> <!-- %s -->",
    "of SQL": "'); DROP TABLE dossier.dossier; --",
    "zero width": "Hồ\u200b sơ\ufeff số\u00ad 1",
    "long": "Đất " * 100,
    "of nulls": "NULL \\N None nan",
    "lone": "= +1-1 @cmd",
}
#: Whatever holds believed or landed values may hold personal ones.
_MAY_HOLD = ("pg_catalog", "information_schema", "staging", "landing", "registry")


@dataclass
class Story:
    rig: Rig
    keys: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    unknown: str = ""
    believed: Truth = field(default_factory=dict)


@pytest.fixture(scope="module")
def story(yard: Yard) -> Story:
    """Each odd text in a record of its own, an unknown word in another one, and one load."""
    rig = yard.rig(loaded=True)
    made, bench = Story(rig), rig.bench
    odd = dict(ODD)
    if rig.can(Fact.NUL):
        odd["NUL"] = "một\x00hai"
    for number, (name, text) in enumerate(odd.items()):
        made.fields[name] = bench.texts[number % len(bench.texts)]
        made.texts[name] = f"{text} {MARK}"
        made.keys[name] = bench.write(made.fields[name], made.texts[name])
    made.unknown = bench.write(bench.code[0], "chua_ro_77")
    rig.load()
    made.believed = rig.believed()
    return made


@pytest.mark.proves(Fact.TEXTS)
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_text_is_believed_letter_by_letter_in_composed_form(story: Story, odd: str) -> None:
    record = story.believed[story.rig.kind.root.entity][story.keys[odd]]
    assert record[story.fields[odd]] == composed(story.texts[odd])


@pytest.mark.proves(Fact.NUL)
def test_a_nul_in_a_text_is_left_out_and_the_rest_is_believed(story: Story) -> None:
    if not story.rig.can(Fact.NUL):
        assert "NUL" not in story.keys
        return
    record = story.believed[story.rig.kind.root.entity][story.keys["NUL"]]
    assert record[story.fields["NUL"]] == composed(story.texts["NUL"])


@pytest.mark.proves(Fact.TEXTS)
def test_nothing_of_a_record_but_the_odd_text_changed(story: Story) -> None:
    assert story.rig.wrong() == {}


@pytest.mark.proves(Fact.TEXTS)
def test_texts_that_may_name_people_are_told_nowhere(story: Story) -> None:
    kinds = (*_MAY_HOLD, story.rig.kind.name)
    tables = story.rig.rows(
        "SELECT schemaname, tablename FROM pg_tables "
        "WHERE NOT schemaname = ANY (:may) AND tablename NOT LIKE '%\\_\\_%'",
        may=list(kinds),
    )
    assert len(tables) > 20
    for schema, table in tables:
        hits = story.rig.rows(f"SELECT 1 FROM {schema}.{table} AS t WHERE t::text LIKE '%Bí Mật%' LIMIT 1")
        assert hits == [], f"{schema}.{table}"


@pytest.mark.proves(Fact.UNKNOWN_CODE)
def test_an_unknown_word_is_kept_counted_and_told_but_not_guessed(story: Story) -> None:
    field_name, kind = story.rig.bench.code
    record = story.believed[story.rig.kind.root.entity][story.unknown]
    assert record[field_name] is None
    assert record[f"{field_name}_raw"] == "chua_ro_77"
    told = {name: rows for (what, name), rows in story.rig.findings().items() if what == kind}
    assert list(told.values()) == [1]
