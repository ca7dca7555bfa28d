"""What is wrong with a contract, said so that its author finds the line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from lienthong.model.errors import ContractError
from lienthong.model.masking import mask_word
from lienthong.yaml_reader import MarkedYaml

NEXT_STEP = "correct the contract (opencps_h17.yaml explains every key). Other sources are not affected."

Problem = tuple[int, str]

#: Of one file, and characters of each: an error is read by people.
MOST_PROBLEMS, MOST_WORDS = 20, 400


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def refuse(path: Path, problems: list[Problem]) -> ContractError:
    """One error for a file, with every problem (of many the first ones) and its line."""
    told = [f"Line {line}: {what if len(what) <= MOST_WORDS else what[:MOST_WORDS] + '…'}" for line, what in problems]
    more = len(told) - MOST_PROBLEMS
    places = " ".join([*told[:MOST_PROBLEMS], *([f"And {more} more."] if more > 0 else [])])
    return ContractError(f"Contract {path.name} is not valid. {places}", next_step=NEXT_STEP, source=path.stem)


def problem_of(
    detail: Mapping[str, Any], marked: MarkedYaml, model: type[BaseModel], above: tuple[str, ...] = ()
) -> Problem:
    """Line and sentence for one of pydantic's findings. Values are shown, but masked: words of the source stand
    in a contract, and people type names where words belong. `above`: the key below which `model` stands."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    line = marked.line_of((*above, *path))
    key = ".".join(mask_word(str(part)) for part in (*above, *path))
    kind = detail["type"]
    if kind == "extra_forbidden":
        near = did_you_mean(str(path[-1]), _fields_at(model, path[:-1]))
        return line, f"unknown key {key!r}{near}."
    if kind == "missing":
        return line, f"key {key!r} is missing."
    if kind in ("enum", "literal_error"):
        value = str(detail["input"])
        known = _words_at(model, path) or re.findall(r"'([^']+)'", str(detail["ctx"]["expected"]))
        near = did_you_mean(value, known)
        return line, f"{key!r} can't be {mask_word(value)!r}{near}; it is one of {', '.join(known)}."
    text = str(detail["ctx"]["error"]) if kind == "value_error" else str(detail["msg"])
    where = f"{key!r}: " if key else ""
    return line, f"{where}{text[:1].lower() + text[1:] if where else text}{_shown(detail['input'])}."


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return ""
    return ", but it is " + ("empty" if value is None else repr(mask_word(value) if isinstance(value, str) else value))


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Keys that the section at `path` knows."""
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _words_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Members of the enum that the key at `path` holds."""
    field = model.model_fields.get(str(path[0])) if path else None
    for kind in (field.annotation, *get_args(field.annotation)) if field else ():
        if isinstance(kind, type) and issubclass(kind, Enum):
            return [str(member.value) for member in kind]
    return []
