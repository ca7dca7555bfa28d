"""The only reader of YAML: plain data plus the line of every key, without YAML 1.1's surprises.

Mapping keys stay the text that was written (`0100`, `no`), only `true`/`false` are booleans, numbers are decimal, and a
key written twice is an error instead of the last one winning. There are no references (`&x`, `*x`, `<<`) and no tags
(`!!int`): a few bytes of them can stand for gigabytes.

Files are edited by people and may come from others, so length, depth, number of values and length of numbers are
bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from lienthong.model.errors import ContractError
from lienthong.model.masking import mask_word

Place = tuple[str | int, ...]

#: Far more than any file of ours needs. The longest of them has 12,000 characters.
MOST_CHARACTERS, MOST_DEPTH, MOST_VALUES, MOST_DIGITS = 128 * 1024, 20, 10_000, 18
#: Mistakes of one file that are told: an error is read by people.
MOST_PROBLEMS = 20

M = TypeVar("M", bound=BaseModel)


class MarkedYamlError(ValueError):
    """`line` (from 1) of the text can't be used."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


@dataclass(frozen=True)
class MarkedYaml:
    """`data`: dicts, lists, str, int, float, bool and None. `lines`: where each key or list item stands, from 1."""

    data: Any
    lines: Mapping[Place, int]

    def line_of(self, path: Place) -> int:
        """Line of `path`, or of the nearest thing around it that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """The resolvers of YAML 1.2's core schema; no references, no tags, nothing deeper or more than the bounds."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._refuse_references()
        self.depth += 1
        self.nodes += 1
        if self.depth > MOST_DEPTH:
            raise MarkedYamlError(self.get_mark().line + 1, f"is nested deeper than {MOST_DEPTH} levels.")
        if self.nodes > 2 * MOST_VALUES:  # a key and its value are two
            raise MarkedYamlError(self.get_mark().line + 1, f"holds more than {MOST_VALUES} values.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refuse_references(self) -> None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise MarkedYamlError(line, "uses a reference (& or *); write the values out.")
        if getattr(event, "tag", None) is not None:
            raise MarkedYamlError(line, "uses a tag (!); write the plain value.")

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own shape)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?[0-9]+\.[0-9]+$", list("-+0123456789")),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def load(path: Path, model: type[M]) -> M:
    """What `path` says, as a `model`. ContractError names the file, and each wrong key with its line."""
    try:
        marked = parse(read_text(path))
    except MarkedYamlError as error:
        raise _refused(path, f"line {error.line} {error.what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, why_unreadable(error)) from None
    try:
        return model.model_validate_json(json.dumps(marked.data))
    except ValidationError as error:
        found = sorted((_mistake(detail, marked) for detail in error.errors(include_url=False)), key=lambda m: m[0])
    told = [f"line {line}, {key or 'whole file'}: {what}." for line, key, what in found[:MOST_PROBLEMS]]
    more = len(found) - MOST_PROBLEMS
    raise _refused(path, " ".join([*told, *([f"And {more} more."] if more > 0 else [])]), found[0][1])


def read_text(path: Path) -> str:
    """The text of a file, not more of it than is read anyway. OSError, UnicodeDecodeError, MarkedYamlError."""
    if path.exists() and not path.is_file():  # a pipe would keep its reader waiting
        raise MarkedYamlError(1, "is not a file.")
    with path.open(encoding="utf-8") as file:
        text = file.read(MOST_CHARACTERS + 1)
    if len(text) > MOST_CHARACTERS:
        raise MarkedYamlError(1, f"is longer than {MOST_CHARACTERS} characters.")
    return text


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file gave no text, for its error."""
    if isinstance(error, UnicodeDecodeError):
        return "can't be read: it is not UTF-8 text."
    return f"can't be read ({error.strerror or type(error).__name__})."


def parse(text: str) -> MarkedYaml:
    """Parse one document. MarkedYamlError for broken YAML, duplicate keys, references, tags or odd keys, and for what
    is too deep, too much or too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise MarkedYamlError(1, f"is longer than {MOST_CHARACTERS} characters.")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise MarkedYamlError((mark.line if mark else 0) + 1, f"is not YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise MarkedYamlError(1, f"is not YAML ({type(error).__name__}).") from None
    except (ValueError, OverflowError) as error:
        if isinstance(error, MarkedYamlError):
            raise
        raise MarkedYamlError(1, "is not YAML: it holds a character that there is not.") from None
    if node is None:
        raise MarkedYamlError(1, "is empty.")
    lines: dict[Place, int] = {}
    return MarkedYaml(_value(node, (), lines), lines)


def _value(node: yaml.Node, path: Place, lines: dict[Place, int]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(lines) > MOST_VALUES:
        raise MarkedYamlError(line, f"holds more than {MOST_VALUES} values.")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise MarkedYamlError(key_line, "has a key that is not a word.")
            key = str(key_node.value)
            if key == "<<":
                raise MarkedYamlError(key_line, "merges another section (<<); write the values out.")
            if key in found:
                told, first = mask_word(key), lines[(*path, key)]
                raise MarkedYamlError(key_line, f"has the key {told!r} twice, also in line {first}.")
            lines[(*path, key)] = key_line
            found[key] = _value(value_node, (*path, key), lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, number), lines) for number, item in enumerate(node.value)]
    return _scalar(str(node.value), node.tag.rpartition(":")[2], line)


def _scalar(text: str, kind: str, line: int) -> Any:
    if kind in ("int", "float") and len(text) > MOST_DIGITS:
        raise MarkedYamlError(line, f"holds a number of {len(text)} digits.")
    if kind == "null":
        return None
    if kind == "bool":
        return text == "true"
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    return text


def _mistake(detail: Mapping[str, Any], marked: MarkedYaml) -> tuple[int, str, str]:
    """Line, key and sentence for one of pydantic's findings."""
    place: Place = tuple(part for part in detail["loc"] if part != "[key]")
    words = "is not a known key" if detail["type"] == "extra_forbidden" else str(detail["msg"])
    return marked.line_of(place), _key_of(marked.data, place), words.removeprefix("Value error, ").rstrip(".")


def _key_of(body: object, place: Place) -> str:
    """`components[2.1].max` rather than `components.4.max`: list items are called by their id, code or name."""
    words = ""
    for part in place:
        if isinstance(part, int) and isinstance(body, list) and part < len(body):
            body = body[part]
            named = body if isinstance(body, dict) else {}
            label = next((named[key] for key in ("id", "code", "name") if key in named), part)
            words += f"[{label}]"
        else:
            body = body.get(part) if isinstance(body, dict) else None
            words += f".{part}" if words else str(part)
    return words


def _refused(path: Path, what: str, key: str | None = None) -> ContractError:
    return ContractError(
        f"{path.name} can't be used: {what}", key=key or None, next_step=f"correct {path.name} and run again."
    )
