"""Text of others on its way to a terminal: nothing in it may move the cursor, colour or turn what is written."""

from __future__ import annotations

import unicodedata

INSTEAD = "\ufffd"


def printable(text: str) -> str:
    """`text` with � for controls (ESC and CSI among them), format characters (bidi, zero width), halves of surrogate
    pairs and whatever else a terminal can't show; new lines stay, tabs and odd blanks are blanks.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _instead(one) for one in text)


def escaped(document: str) -> str:
    """The same for a JSON document: escaped as JSON does it, so that programs read what was there."""
    return "".join(one if one.isprintable() or one == "\n" else _escape(one) for one in document)


def _instead(character: str) -> str:
    return " " if character == "\t" or unicodedata.category(character) == "Zs" else INSTEAD


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
