"""Every YAML file is read by one strict reader: bounded in memory, without surprises, and a mistake has its line."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from lienthong.exchange.settings import load_portal_settings
from lienthong.freshness.settings import load_freshness_settings
from lienthong.indices.definition import load_definition
from lienthong.model.errors import ContractError
from lienthong.settings import PROJECT
from lienthong.sources.contract import load_contract
from lienthong.yaml_reader import MOST_CHARACTERS, MarkedYamlError, load, parse

READERS = {
    "contract": load_contract,
    "portal": load_portal_settings,
    "freshness": load_freshness_settings,
    "index": load_definition,
}


def bomb() -> str:
    """Two hundred bytes that are a billion values when their references are written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(lines)


#: Text → what is told about it, with the line.
HOSTILE = {
    "references": (bomb(), "line 1 uses a reference"),
    "one_long_text_often": ("a: &a " + "y" * 100_000 + "\nb: [" + "*a, " * 5000 + "*a]", "line 1 uses a reference"),
    "a_reference_to_itself": ("x:\n- &x [*x]", "line 2 uses a reference"),
    "a_merged_section": ("a: {b: 1}\nc:\n  <<: {b: 2}", "line 3 merges another section"),
    "a_tag": ("a: 1\nb: !!python/object/apply:os.system ['true']", "line 2 uses a tag"),
    "a_tagged_number": ('a: !!int "many"', "line 1 uses a tag"),
    "deep": ("x: " + "[" * 50_000, "line 1 is nested deeper than 20 levels"),
    "deep_blocks": ("\n".join(" " * level + "x:" for level in range(300)), "line 20 is nested deeper than 20 levels"),
    "wide": ("x: [" + "1," * 60_000 + "1]", "holds more than 10000 values"),
    "huge": ("x: " + "y" * 150_000_000, f"is longer than {MOST_CHARACTERS} characters"),
    "a_key_twice": ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3", "line 5 has the key 'c' twice, also in line 3"),
    "a_tab": ("a:\n\tb: 1", "line 2 is not YAML"),
    "a_list_as_key": ("a: 1\n? [b, c]\n: 2", "line 2 has a key that is not a word"),
    "two_documents": ("a: 1\n---\na: 2", "line 2 is not YAML"),
    "nothing": ("# only a comment\n", "is empty"),
    "a_text_only": ("hello", "line 1, whole file"),
    "endless_number": ("a: 1\nb: " + "9" * 5000, "line 2 holds a number of 5000 digits"),
    "half_a_text": ('a: 1\nb: "never closed', "line 2 is not YAML"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name, (text, _) in HOSTILE.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    yield folder
    (folder / "huge.yaml").unlink()


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_clear_error(hostile: Path, name: str, reader: type) -> None:
    with pytest.raises(ContractError) as caught:
        reader(hostile / f"{name}.yaml")
    told = str(caught.value).replace(":", "").casefold()
    assert f"{name}.yaml" in told
    assert caught.value.next_step.startswith("correct ")
    if name != "a_text_only" or reader is not load_contract:
        assert HOSTILE[name][1].casefold() in told
    assert len(told) < 3000


MEASURE = """
import resource, sys, tracemalloc
from pathlib import Path
from lienthong.exchange.settings import load_portal_settings
from lienthong.freshness.settings import load_freshness_settings
from lienthong.indices.definition import load_definition
from lienthong.model.errors import ContractError
from lienthong.sources.contract import load_contract
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
for reader in (load_contract, load_portal_settings, load_freshness_settings, load_definition):
    try:
        reader(Path(sys.argv[1]))
    except ContractError:
        continue
    sys.exit("was accepted")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def megabytes(path: Path) -> int:
    """By how much a process of its own grew while it read `path` in all four ways."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        cwd=PROJECT / "plugins",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("name", ["references", "one_long_text_often", "wide", "huge", "deep"])
def test_reading_a_hostile_file_takes_little_memory(hostile: Path, name: str) -> None:
    assert megabytes(hostile / f"{name}.yaml") < 100


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_what_is_no_text_file_is_said(tmp_path: Path, reader: type) -> None:
    (tmp_path / "latin.yaml").write_bytes("title: Đà Nẵng".encode("utf-16"))
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    expected = {
        "latin": "is not UTF-8 text",
        "folder": "is not a file",
        "pipe": "is not a file",
        "gone": "can't be read",
    }
    for name, words in expected.items():
        with pytest.raises(ContractError, match=words) as caught:
            reader(tmp_path / f"{name}.yaml")
        assert f"{name}.yaml" in str(caught.value)


def test_a_word_stays_a_word_and_a_number_is_decimal() -> None:
    text = (
        "no: yes\noff: on\nnorway: NO\n0100: 010\n10:30: 22:30\nday: 2026-11-05\nbig: 1_000\nhex: 0x1F\nversion: 1.10"
    )
    assert parse(text).data == {
        "no": "yes", "off": "on", "norway": "NO", "0100": 10, "10:30": "22:30", "day": "2026-11-05", "big": "1_000",
        "hex": "0x1F", "version": 1.1,
    }  # fmt: skip
    assert parse("a: true\nb: false\nc: True\nd: ~\ne:\nf: 'true'").data == {
        "a": True, "b": False, "c": "True", "d": None, "e": None, "f": "true",
    }  # fmt: skip


def test_lines_are_those_of_the_file() -> None:
    marked = parse(
        "# a comment\n\na: 1\nb:\n  # another\n  c: |\n    two\n    lines\n  d:\n  - 1\n  - {e: 2,\n     f: 3}\n"
    )
    places = {("a",): 3, ("b",): 4, ("b", "c"): 6, ("b", "d"): 9, ("b", "d", 0): 10, ("b", "d", 1): 11}
    assert {place: marked.line_of(place) for place in places} == places
    assert marked.line_of(("b", "d", 1, "f")) == 12
    assert marked.line_of(("b", "d", 7, "x")) == 9, "what is not written is where it would belong"


def test_a_byte_order_mark_of_an_editor_does_no_harm() -> None:
    assert parse("\ufeffa: 1").data == {"a": 1}


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    size: int = 1


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    parts: tuple[Part, ...]
    title: str


def test_each_mistake_is_told_with_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "parts.yaml"
    path.write_text("titel: x\nparts:\n- id: one\n- id: two\n  size: much\n", encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load(path, Whole)
    told = str(caught.value)
    for words in (
        "parts.yaml", "line 1, titel: is not a known key", "line 5, parts[two].size:", "line 1, title: Field required",
        "Next: correct parts.yaml",
    ):  # fmt: skip
        assert words in told


def test_many_mistakes_are_told_in_a_few_words(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text("\n".join(f"k{number}: 1" for number in range(9000)), encoding="utf-8")
    with pytest.raises(ContractError, match=r"And 8982 more\.") as caught:
        load(path, Whole)
    assert len(str(caught.value)) < 3000


def test_an_endless_number_is_no_time_limit(tmp_path: Path) -> None:
    text = (PROJECT / "include" / "exchange" / "portal.yaml").read_text(encoding="utf-8")
    path = tmp_path / "portal.yaml"
    for number in ("inf", "nan", ".inf"):
        path.write_text(text.replace("settle_max_s: 3600", f"settle_max_s: {number}"), encoding="utf-8")
        with pytest.raises(ContractError, match="settle_max_s"):
            load_portal_settings(path)


def test_nothing_else_reads_yaml() -> None:
    users = set()
    for folder in ("plugins", "dags", "simulator", "devstack"):
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if {name.partition(".")[0] for name in names} & {"yaml", "ruamel"}:
                    users.add(path.relative_to(PROJECT).as_posix())
    assert users == {"plugins/lienthong/yaml_reader.py"}


def test_an_error_of_parsing_carries_its_line() -> None:
    with pytest.raises(MarkedYamlError) as caught:
        parse("a: 1\nb: 2\na: 3")
    assert (caught.value.line, caught.value.what) == (3, "has the key 'a' twice, also in line 1.")
