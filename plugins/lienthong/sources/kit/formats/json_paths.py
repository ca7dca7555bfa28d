"""JSON as services send it, and values inside it by dotted path, as the text that columns hold."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json

from lienthong.sources.kit.formats.garbled import GarbledError

#: What a path does with a list on its way; None: the path ends there.
Choose = Callable[[list[Any]], Any]


def decode_json(content: bytes, charset: str = "") -> Any:
    """The decoded value; UTF-8 with or without a mark, or the charset that is declared. GarbledError."""
    if charset and charset.lower() not in ("utf-8", "utf8"):
        content = decoded(content, charset).encode("utf-8", "surrogatepass")
    try:
        return from_json(content.removeprefix(codecs.BOM_UTF8))
    except ValueError:
        raise GarbledError(f"broken JSON of {len(content)} bytes") from None


def decoded(content: bytes, charset: str) -> str:
    """Text of a declared charset. GarbledError for one that nobody knows, or that the bytes are not of."""
    try:
        return content.decode(charset)
    except LookupError:
        raise GarbledError("text in an encoding that nobody knows") from None
    except ValueError:
        raise GarbledError("text that is not in the encoding that it says") from None


def find(value: Any, path: tuple[str, ...], choose: Choose | None = None) -> Any:
    """The value at `path`, None when there is none. A list on the way stands for what `choose` takes of it."""
    for name in path:
        if isinstance(value, list):
            value = choose(value) if choose else None
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def word(value: Any) -> str | None:
    """A scalar as text: `0` and `0.0` are "0", true is "true"; anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return dump(value)


def dump(value: Any) -> str:
    """Compact JSON, Vietnamese readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
