"""YAML as plain data plus the line of every key, without YAML 1.1's surprises.

Mapping keys stay the text that was written (`0100`, `no`), only `true`/`false` are booleans, numbers are decimal, and a
key written twice is an error instead of the last one winning.

A text of others is read: depth, size with its references written out, and length of numbers are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from lienthong.model.masking import mask_word

Path = tuple[str | int, ...]

#: Far more than any file of ours needs.
MOST_DEPTH, MOST_VALUES, MOST_DIGITS = 20, 10_000, 18


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
    lines: Mapping[Path, int]

    def line_of(self, path: Path) -> int:
        """Line of `path`, or of the nearest thing around it that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """The resolvers of YAML 1.2's core schema; nothing deeper than MOST_DEPTH."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise MarkedYamlError(self.get_mark().line + 1, f"is nested deeper than {MOST_DEPTH} levels.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own shape)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?[0-9]+\.[0-9]+$", list("-+0123456789")),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def parse(text: str) -> MarkedYaml:
    """Parse one document. MarkedYamlError for broken YAML, duplicate keys, anchors that recurse, or odd keys, and for
    what is too deep, too much or too long.
    """
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
    lines: dict[Path, int] = {}
    return MarkedYaml(_value(node, (), lines, ()), lines)


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], above: tuple[yaml.Node, ...]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(lines) > MOST_VALUES:  # a reference counts each time it is used
        raise MarkedYamlError(line, f"holds more than {MOST_VALUES} values, references written out.")
    if node in above:
        raise MarkedYamlError(line, "refers to itself.")
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise MarkedYamlError(key_line, "has a key that is not a word.")
            key = str(key_node.value)
            if key in found:
                told, first = mask_word(key), lines[(*path, key)]
                raise MarkedYamlError(key_line, f"has the key {told!r} twice, also in line {first}.")
            lines[(*path, key)] = key_line
            found[key] = _value(value_node, (*path, key), lines, above)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, number), lines, above) for number, item in enumerate(node.value)]
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
