"""XML of others: no document type, no entities of its own, bounded in size, depth and elements."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from lienthong.sources.kit.formats.garbled import GarbledError

MOST_BYTES, MOST_DEPTH, MOST_ELEMENTS = 64 << 20, 100, 2_000_000


def decode_xml(content: bytes, charset: str = "") -> Element:
    """`parse_xml`, as `kit.http` takes it."""
    return parse_xml(content, charset)


def parse_xml(content: bytes, charset: str = "", *, most_elements: int = MOST_ELEMENTS) -> Element:
    """The root element; names carry their namespace as `{uri}name`. GarbledError.

    A document type is refused as a whole: bombs (entities within entities) and files of ours (external entities) both
    come in by it, and no service of ours needs one.
    """
    if len(content) > MOST_BYTES:
        raise GarbledError(f"XML of more than {MOST_BYTES >> 20} MiB")
    reader = _Reader(most_elements)
    try:
        parser = expat.ParserCreate(charset or None, "}")
    except ValueError:
        raise GarbledError("XML in an encoding that nobody knows") from None
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise GarbledError(f"broken XML at line {error.lineno}: {expat.ErrorString(error.code)}") from None
    except (LookupError, ValueError) as error:
        if isinstance(error, GarbledError):
            raise
        raise GarbledError("XML in an encoding that nobody knows") from None
    return reader.close()


def text_of(element: Element, path: str) -> str | None:
    """The text at a path below `element`, without outer space; None when there is none."""
    found = element.findtext(path)
    return found.strip() if found is not None else None


class _Reader:
    def __init__(self, most_elements: int) -> None:
        self._builder = TreeBuilder()
        self._left = most_elements
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._left -= 1
        if self._depth > MOST_DEPTH:
            raise GarbledError(f"XML nested deeper than {MOST_DEPTH} levels")
        if self._left < 0:
            raise GarbledError("XML with more elements than any answer of ours has")
        self._builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_named(name))

    def text(self, data: str) -> None:
        self._builder.data(data)

    def close(self) -> Element:
        return self._builder.close()


def _named(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _refuse(*declared: Any) -> int:
    raise GarbledError("XML with a document type, which is refused: entities could hide in it")
